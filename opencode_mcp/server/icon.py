"""Icon of the server: a prompt of a terminal, in a few hundred bytes."""

from base64 import b64encode

from mcp_types import Icon

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="5"/>'
    '<path d="M6 8l4 4-4 4m6 0h6" fill="none" stroke="#fff" stroke-width="2"/></svg>'
)
ICON = Icon(
    src=f"data:image/svg+xml;base64,{b64encode(SVG.encode()).decode()}", mime_type="image/svg+xml", sizes=["any"]
)
