"""A proxy that presents the preview engine of OpenCode 2 under the contract of the released version."""
