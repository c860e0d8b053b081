"""The one way by which an answer reaches OpenCode, and the policy that gives some by itself."""
