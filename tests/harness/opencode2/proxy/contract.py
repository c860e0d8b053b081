"""The operations of the released contract that no handler of its own serves, by what becomes of them."""

FORWARDED = """
GET /api/agent
GET /api/agent/{agentID}
GET /api/command
PATCH /api/credential/{credentialID}
DELETE /api/credential/{credentialID}
GET /api/debug/location
DELETE /api/debug/location
POST /api/experimental/integration/wellknown
GET /api/fs/find
GET /api/integration
GET /api/integration/{integrationID}
POST /api/integration/{integrationID}/connect/command
GET /api/integration/{integrationID}/connect/command/{attemptID}
DELETE /api/integration/{integrationID}/connect/command/{attemptID}
POST /api/integration/{integrationID}/connect/key
POST /api/integration/{integrationID}/connect/oauth
GET /api/integration/{integrationID}/connect/oauth/{attemptID}
DELETE /api/integration/{integrationID}/connect/oauth/{attemptID}
POST /api/integration/{integrationID}/connect/oauth/{attemptID}/complete
GET /api/location
GET /api/mcp
GET /api/mcp/resource
GET /api/model
GET /api/model/default
GET /api/permission/request
DELETE /api/permission/saved/{id}
GET /api/plugin
GET /api/project
GET /api/provider
GET /api/provider/{providerID}
GET /api/pty
POST /api/pty
GET /api/pty/{ptyID}
PUT /api/pty/{ptyID}
DELETE /api/pty/{ptyID}
POST /api/pty/{ptyID}/connect-token
GET /api/reference
GET /api/session/active
POST /api/session/{sessionID}/agent
POST /api/session/{sessionID}/background
GET /api/session/{sessionID}/context
GET /api/session/{sessionID}/form
POST /api/session/{sessionID}/form
POST /api/session/{sessionID}/form/{formID}/reply
POST /api/session/{sessionID}/generate
POST /api/session/{sessionID}/model
POST /api/session/{sessionID}/move
GET /api/session/{sessionID}/permission
POST /api/session/{sessionID}/permission
GET /api/session/{sessionID}/permission/{requestID}
POST /api/session/{sessionID}/revert/commit
POST /api/session/{sessionID}/revert/stage
POST /api/session/{sessionID}/shell
GET /api/shell
POST /api/shell
GET /api/shell/{id}
DELETE /api/shell/{id}
GET /api/shell/{id}/output
GET /api/skill
GET /api/vcs/diff
GET /api/vcs/status
POST /api/websearch
GET /api/websearch/provider
"""
"""The preview has these under the same name; the replies to some are reshaped."""

RENAMED = {
    "POST /api/experimental/generate": "/api/generate",
    "PUT /api/experimental/mcp/{server}": "/api/mcp/{server}",
    "DELETE /api/experimental/mcp/{server}": "/api/mcp/{server}",
    "POST /api/experimental/mcp/{server}/connect": "/api/mcp/{server}/connect",
    "POST /api/experimental/mcp/{server}/disconnect": "/api/mcp/{server}/disconnect",
    "GET /api/experimental/session/{sessionID}/instructions/entries": "/api/session/{sessionID}/instructions/entries",
    "PUT /api/experimental/session/{sessionID}/instructions/entries/{key}": (
        "/api/session/{sessionID}/instructions/entries/{key}"
    ),
    "DELETE /api/experimental/session/{sessionID}/instructions/entries/{key}": (
        "/api/session/{sessionID}/instructions/entries/{key}"
    ),
    "POST /api/experimental/session/{sessionID}/wait": "/api/session/{sessionID}/wait",
    "GET /api/form": "/api/form/request",
}
"""The preview has these under another path, with the same method and body."""

ABSENT = """
GET /api/config/shell
GET /api/credential
POST /api/credential
POST /api/credential/{credentialID}/activate
PATCH /api/experimental/config
POST /api/experimental/fs/write
GET /api/experimental/migration/v1
GET /api/experimental/persistent-pty/{ptyID}
PUT /api/experimental/persistent-pty/{ptyID}
DELETE /api/experimental/persistent-pty/{ptyID}
POST /api/experimental/persistent-pty/{ptyID}/connect-token
GET /api/experimental/persistent-pty/{ptyID}/snapshot
POST /api/experimental/persistent-pty/handoff
POST /api/experimental/persistent-pty/shutdown
GET /api/experimental/session/{sessionID}/export
GET /api/experimental/session/{sessionID}/terminal
POST /api/experimental/session/{sessionID}/terminal
GET /api/experimental/session/{sessionID}/terminal/read
POST /api/experimental/session/import
GET /api/experimental/session/stats
POST /api/experimental/voice/session
POST /api/integration/{integrationID}/connect/external
POST /api/location/reload
POST /api/pair
PATCH /api/permission/saved/{id}
POST /api/plugin/check
POST /api/plugin/update
PATCH /api/project/{projectID}
POST /api/rpc/{rpcID}/{method}
PUT /api/session/{sessionID}/environment
GET /api/vcs/base
GET /api/vcs/branch
POST /api/vcs/init
POST /api/worktree/refresh
GET /auth/connect/{code}
"""
"""The preview has nothing to present these with: they are answered with 501."""


def operations(text: str) -> list[tuple[str, str]]:
    """Read the methods and paths in a list of operations."""
    return [(method, path) for method, path in (line.split(" ", 1) for line in text.split("\n") if line)]
