"""Patterns of the keys of well-known services.

Data. Each pattern is anchored at the beginning of a word and repeats only single characters, so that the time of a
search is proportional to the length of the text.
"""

import re

KEYS = (
    # Models
    r"(?:sk|pk|rk)-(?=[\w-]{0,256}?\d)[\w-]{16,}",  # OpenAI, Anthropic, OpenRouter, DeepSeek and others
    r"(?:csk|gsk|hf|jina|r8|fw|sk)_[A-Za-z0-9]{24,}",
    r"(?:csk|fc|nvapi|pa|pplx|tvly|xai)-(?=[\w-]{0,256}?\d)[\w-]{24,}",
    r"ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}|1//0[\w-]{30,}",  # Google
    r"lsv2_(?:pt|sk)_\w{32,}|tgp_v1_[\w-]{30,}",
    # Source code, packages and builds
    r"gh[oprsu]_\w{20,}|github_pat_\w{20,}",
    r"gl(?:agent|cbt|dt|ft|imt|oas|pat|ptt|rt|soat)-[\w.-]{16,}|GR1348941[\w-]{20,}",
    r"ATATT3[\w=-]{40,}|ATCTT3[\w=-]{40,}|ATBB\w{24,}",  # Atlassian
    r"npm_\w{30,}|pypi-[\w-]{40,}|rubygems_[0-9a-f]{40,}|dckr_pat_[\w-]{20,}",
    r"CCIPAT_\w{20,}_[0-9a-f]{32,}|sntry[su]_[\w=+/-]{40,}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|figd_[\w-]{30,}",
    # Clouds
    r"do[opr]_v1_[0-9a-f]{40,}|HRKU-[\w-]{30,}|nfp_\w{30,}|rnd_\w{24,}|fm\d_[\w+/=,-]{30,}",
    r"hv[bsr]\.[\w-]{20,}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}|pul-[0-9a-f]{40}|dapi[0-9a-f]{32}",
    r"dp\.(?:audit|ct|pt|sa|scim|st)\.(?:\w{1,32}\.)?\w{40,}|ops_eyJ[\w-]{40,}|tskey-[a-z]{3,10}-[\w-]{20,}",
    r"pscale_(?:oauth|pw|tkn)_[\w.-]{30,}|sb(?:p|_secret)_\w{20,}|napi_[a-z0-9]{40,}",
    r"gl(?:c_eyJ[\w+/=]{40,}|sa_\w{32}_[0-9a-f]{8})|NR(?:AK|JS|II)-[\w-]{19,}|ph[cx]_\w{40,}",
    # Payment, messages, offices
    r"(?:rk|sk|pk)_(?:live|prod|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{20,}|sq0(?:atp|csp|idp)-[\w-]{22,}",
    r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    r"xox[abeoprs]-(?:\d-)?[\w-]{10,}|xapp-\d-[\w-]{20,}|SG\.[\w-]{16,64}\.[\w-]{16,}",
    r"key-[0-9a-f]{32}|xkeysib-[0-9a-f]{64}-\w{16}|mlsn\.[0-9a-f]{40,}|re_\w{8}_\w{20,}|[0-9a-f]{32}-us\d{1,2}",
    r"\d{8,10}:AA[\w-]{32,}|[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}",  # Telegram, Discord
    r"lin_api_\w{32,}|ntn_\w{40,}|secret_[A-Za-z0-9]{40,}|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
    # Any service
    r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+",
    r"AGE-SECRET-KEY-1[0-9A-Z]{50,}",
)
KEYS_OF_LETTERS = (
    r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}|LTAI[A-Za-z0-9]{16,20}",  # AWS, Alibaba
    r"AIza[\w-]{30,}|EAAA[\w-]{50,}|(?:EZAK|EZTK)[A-Za-z0-9]{54}|SK[0-9a-f]{32}",  # Google, Square, EasyPost, Twilio
    r"cio[A-Za-z0-9]{32}|oy2[a-z0-9]{43}",  # crates.io, NuGet
)
"""Patterns without punctuation: the Base64 data of an image may contain such a run after a ``/`` or a ``+``."""
BEGINS = r"(?:(?<![\w-])|(?<=\\[nrt])|(?<=%3[Dd])|(?<=%20)|(?<=/bot))"
"""Positions where a key may begin. A text inside a text has its line ends escaped, and a URL its spaces."""
BEGINS_OUTSIDE_DATA = r"(?:(?<![\w+/-])|(?<=\\[nrt])|(?<=%3[Dd])|(?<=%20))"
OF_THIS_BRIDGE = r"ocmcp_[\w-]{40,}"
"""A token of this bridge, which is hidden also inside of a word."""
WORD_BEGINS = r"(?:(?<![\w%-])(?!(?<=\\)[nrt])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
JWT_IN_WORD = rf"{WORD_BEGINS}(?=[\w-]*?eyJ[\w-]{{8}})[\w-]+\.eyJ[\w-]{{8,}}\.[\w-]+"
"""A JWT with characters before it, which are hidden, too. A search from the beginning of each word takes less time."""
KEY_PATTERN = re.compile(
    f"{OF_THIS_BRIDGE}|{JWT_IN_WORD}|{BEGINS}(?:{'|'.join(KEYS)})|{BEGINS_OUTSIDE_DATA}(?:{'|'.join(KEYS_OF_LETTERS)})"
)
SHORTEST_KEY_CHARACTERS = 16
CANDIDATE = re.compile(rf"[\w.+/=~%:\\-]{{{SHORTEST_KEY_CHARACTERS},}}")
"""Runs of characters that are long enough for a key. Few texts have any, so most texts are scanned only once."""
