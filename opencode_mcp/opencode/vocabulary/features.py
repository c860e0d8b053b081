"""Abilities in which the generations of OpenCode differ, for code that is written once for both."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rereading:
    """Way in which OpenCode reads the files of a directory again."""

    operation: str
    """Id of the operation that makes it do so."""
    consequence: str
    """Effect of the operation on the runs of the directory, as the end of a sentence."""
    user_settings: bool
    """True if it reads the user's own settings again too. If not, it reads them only when it starts."""
    fails_on_invalid_file: bool
    """True if an invalid file makes all later requests of the directory fail. If not, that file is left out."""
    changes_loaded: str
    """Sentence for those who can restart OpenCode on when it loads changes of its configuration."""

    @property
    def hint(self) -> str:
        """Return a sentence for a caller whose OpenCode has not noticed a change."""
        return f"Its operation {self.operation} makes it read its files again, and {self.consequence}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Abilities in which the generations of OpenCode differ."""

    output_schemas: bool
    """True if a prompt can have a schema of its answer. Without it, the schema has to be part of the text."""
    command_ids: bool
    """True if a slash command can have an id for its prompt's message. Without it, OpenCode chooses the id."""
    retry_status: bool
    """True if the status of a session tells a pause before the model is asked again from other work."""
    busy_anywhere: bool
    """True if OpenCode lists the busy sessions of all directories at once."""
    todos: bool
    """True if a session can have a todo list."""
    message_reader: str
    """Id of the operation that reads a message; its arguments are ``sessionID`` and ``messageID``."""
    keeps_removed_cost: bool
    """True if the cost of a session keeps that of messages that were removed, and has that of its title."""
    unarchives: bool
    """True if an archived session can be put back into the lists."""
    archived_lister: str
    """Id of the operation that lists archived sessions; its arguments are ``archived`` and ``directory``."""
    archived_rows: str
    """JMESPath expression for the archived sessions in its reply, which may list others beside them."""
    mentions_in_worktree: bool
    """True if a file that a slash command mentions is relative to the worktree. Otherwise it is relative to the
    directory of the session, and files that shell lines of the command mention are attached too."""
    diffs_grow: bool
    """True if the diff of a prompt is made step by step, so that it may lack a changed file for a while."""
    undo_restores_diff: bool
    """True if an undo puts back every file of the prompt's diff, not only those that differed after a step."""
    unusable_models: bool
    """True if OpenCode also lists the models of providers without credentials."""
    idle_questions: bool
    """True if something can be asked in an idle session, by a plugin or by a client."""
    deletes_branches: bool
    """True if a worktree is removed with the branch that is checked out there."""
    resumes_runs: bool
    """True if a server that starts may go on with the runs of the one before it."""
    mcp_settings: tuple[str, ...]
    """Keys of a settings file that lead to the MCP servers, from the outermost on."""
    rereading: Rereading
