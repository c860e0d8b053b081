"""Resources: their URIs, their content, and completions."""
