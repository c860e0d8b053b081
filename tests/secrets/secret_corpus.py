"""A hundred secrets in the formats of well-known services, and a hundred texts that only look like one.

The secrets are made when the tests run, from pieces and from chance with a fixed seed: none is anybody's, and nothing
in the repository looks like a key to those who search it for keys.
"""

import base64
import hashlib
import json
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits

CHANCE = Random(20)  # noqa: S311 - the same ones each time
ALNUM = ascii_letters + digits
HEX = "0123456789abcdef"
URL_SAFE = ALNUM + "-_"
PLAIN = ALNUM + "+/"


def some(alphabet: str, length: int) -> str:
    """A text of chance, with a digit and a letter of each case where the alphabet has them."""
    ends = [character for character in "7dQ" if character in alphabet]
    return "".join([*CHANCE.choices(alphabet, k=length - len(ends)), *ends])


def uuid() -> str:
    return "-".join(some(HEX, length) for length in (8, 4, 4, 4, 12))


def jwt() -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": "4711", "name": "Nobody", "iat": 1}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, some(URL_SAFE, 43)])


def private_key(kind: str) -> str:
    lines = "\n".join(some(PLAIN, 64) for _ in range(6))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"


KEYS: dict[str, str] = {
    "openai": "sk" + "-" + some(ALNUM, 48),
    "openai project": "sk" + "-proj-" + some(URL_SAFE, 120),
    "openai service": "sk" + "-svcacct-" + some(URL_SAFE, 90),
    "anthropic": "sk" + "-ant-api03-" + some(URL_SAFE, 93) + "AA",
    "anthropic admin": "sk" + "-ant-admin01-" + some(URL_SAFE, 90),
    "openrouter": "sk" + "-or-v1-" + some(HEX, 64),
    "deepseek": "sk" + "-" + some(HEX, 32),
    "groq": "gsk" + "_" + some(ALNUM, 52),
    "cerebras": "csk" + "-" + some(ascii_lowercase + digits, 48),
    "hugging face": "hf" + "_" + some(ALNUM, 34),
    "replicate": "r8" + "_" + some(ALNUM, 37),
    "xai": "xai" + "-" + some(ALNUM, 80),
    "perplexity": "pplx" + "-" + some(ALNUM, 48),
    "nvidia": "nvapi" + "-" + some(URL_SAFE, 64),
    "voyage": "pa" + "-" + some(URL_SAFE, 43),
    "tavily": "tvly" + "-" + some(ALNUM, 32),
    "firecrawl": "fc" + "-" + some(HEX, 32),
    "jina": "jina" + "_" + some(ALNUM, 60),
    "fireworks": "fw" + "_" + some(ALNUM, 24),
    "together": "tgp" + "_v1_" + some(URL_SAFE, 43),
    "langsmith": "lsv2" + "_pt_" + some(HEX, 32) + "_" + some(HEX, 10),
    "google api": "AIza" + some(URL_SAFE, 35),
    "google oauth": "ya29" + "." + some(URL_SAFE, 120),
    "google client": "GOCSPX" + "-" + some(URL_SAFE, 28),
    "google refresh": "1//" + "0" + some(URL_SAFE, 60),
    "github classic": "gh" + "p_" + some(ALNUM, 36),
    "github oauth": "gh" + "o_" + some(ALNUM, 36),
    "github server": "gh" + "s_" + some(ALNUM, 36),
    "github refresh": "gh" + "r_" + some(ALNUM, 76),
    "github fine": "github" + "_pat_" + some(ALNUM, 22) + "_" + some(ALNUM, 59),
    "gitlab": "gl" + "pat-" + some(URL_SAFE, 20),
    "gitlab runner": "gl" + "rt-" + some(URL_SAFE, 20),
    "gitlab deploy": "gl" + "dt-" + some(URL_SAFE, 20),
    "gitlab old runner": "GR13" + "48941" + some(URL_SAFE, 20),
    "atlassian": "ATATT" + "3xFfGF0" + some(URL_SAFE, 180) + "=" + some("0123456789ABCDEF", 8),
    "bitbucket": "ATBB" + some(ALNUM, 32),
    "npm": "npm" + "_" + some(ALNUM, 36),
    "pypi": "pypi" + "-AgEIcHlwaS5vcmc" + some(URL_SAFE, 150),
    "rubygems": "rubygems" + "_" + some(HEX, 48),
    "crates": "ci" + "o" + some(ALNUM, 32),
    "nuget": "oy" + "2" + some(ascii_lowercase + digits, 43),
    "docker": "dckr" + "_pat_" + some(URL_SAFE, 27),
    "circleci": "CCI" + "PAT_" + some(ALNUM, 22) + "_" + some(HEX, 40),
    "sentry": "sntry" + "u_" + some(HEX, 64),
    "postman": "PMAK" + "-" + some(HEX, 24) + "-" + some(HEX, 34),
    "figma": "figd" + "_" + some(URL_SAFE, 40),
    "aws access": "AK" + "IA" + some(ascii_uppercase + "234567", 16),
    "aws session": "AS" + "IA" + some(ascii_uppercase + "234567", 16),
    "digitalocean": "dop" + "_v1_" + some(HEX, 64),
    "heroku": "HRKU" + "-" + uuid(),
    "netlify": "nfp" + "_" + some(ALNUM, 36),
    "render": "rnd" + "_" + some(ALNUM, 32),
    "fly": "fm" + "2_" + some(PLAIN, 120),
    "vault": "hvs" + "." + some(URL_SAFE, 90),
    "terraform": some(ALNUM, 14) + ".atlas" + "v1." + some(URL_SAFE, 67),
    "pulumi": "pul" + "-" + some(HEX, 40),
    "databricks": "da" + "pi" + some(HEX, 32),
    "doppler": "dp" + ".pt." + some(ALNUM, 43),
    "1password": "ops" + "_eyJ" + some(URL_SAFE, 200),
    "tailscale": "tskey" + "-auth-" + some(ALNUM, 12) + "-" + some(ALNUM, 32),
    "planetscale": "pscale" + "_pw_" + some(URL_SAFE, 43),
    "supabase": "sb" + "p_" + some(HEX, 40),
    "neon": "napi" + "_" + some(ascii_lowercase + digits, 64),
    "alibaba": "LTA" + "I" + some(ALNUM, 20),
    "grafana cloud": "gl" + "c_eyJ" + some(PLAIN, 100),
    "grafana": "gl" + "sa_" + some(ALNUM, 32) + "_" + some(HEX, 8),
    "new relic": "NR" + "AK-" + some(ascii_uppercase + digits, 27),
    "posthog": "ph" + "x_" + some(ALNUM, 43),
    "stripe": "sk" + "_live_" + some(ALNUM, 24),
    "stripe test": "sk" + "_test_" + some(ALNUM, 99),
    "stripe restricted": "rk" + "_live_" + some(ALNUM, 24),
    "stripe hook": "wh" + "sec_" + some(ALNUM, 32),
    "square": "sq0" + "atp-" + some(URL_SAFE, 22),
    "square new": "EA" + "AA" + some(URL_SAFE, 60),
    "shopify": "shp" + "at_" + some(HEX, 32),
    "easypost": "EZ" + "AK" + some(ALNUM, 54),
    "slack bot": "xox" + "b-" + some(digits, 12) + "-" + some(ALNUM, 24),
    "slack user": "xox" + "p-" + some(digits, 12) + "-" + some(HEX, 32),
    "slack app": "xa" + "pp-1-" + some(ascii_uppercase + digits, 11) + "-" + some(HEX, 64),
    "sendgrid": "S" + "G." + some(URL_SAFE, 22) + "." + some(URL_SAFE, 43),
    "twilio": "S" + "K" + some(HEX, 32),
    "mailgun": "key" + "-" + some(HEX, 32),
    "mailchimp": some(HEX, 32) + "-" + "us12",
    "brevo": "xkey" + "sib-" + some(HEX, 64) + "-" + some(ALNUM, 16),
    "resend": "r" + "e_" + some(ALNUM, 8) + "_" + some(ALNUM, 24),
    "telegram": "4711471147" + ":AA" + some(URL_SAFE, 33),
    "discord": "M" + some(URL_SAFE, 25) + "." + some(URL_SAFE, 6) + "." + some(URL_SAFE, 38),
    "linear": "lin" + "_api_" + some(ALNUM, 40),
    "notion": "nt" + "n_" + some(ALNUM, 46),
    "notion old": "secret" + "_" + some(ALNUM, 43),
    "airtable": "pat" + some(ALNUM, 14) + "." + some(HEX, 64),
    "jwt": jwt(),
    "opencode-mcp": "ocmcp_" + some(ascii_letters + digits, 43),
    "age": "AGE-SECRET" + "-KEY-1" + some(ascii_uppercase + digits, 58),
    "rsa": private_key("RSA "),
    "openssh": private_key("OPENSSH "),
    "pkcs8": private_key(""),
}
"""Secrets that are recognised by their form, in any text."""

PASSWORD = some(ALNUM, 16)
TOKEN = some(ALNUM, 40)
DIGEST = some(HEX, 40)
HOOK = f"T{some(ALNUM, 9)}/B{some(ALNUM, 9)}/{TOKEN}"
PLACED: dict[str, tuple[str, str]] = {
    "option": (f"tool --api-key={TOKEN} run", TOKEN),
    "option and space": (f"tool --token {TOKEN} run", TOKEN),
    "export": (f"cd x && export TOKEN={TOKEN} && make", TOKEN),
    "weak export": ("export DB_PASSWORD=letmein", "letmein"),
    "env": (f"HOME=/root\nAWS_SECRET_ACCESS_KEY={TOKEN}\nPATH=/bin", TOKEN),
    "signed url": (f"GET https://x.blob.host/c/f?sv=2024-11-04&sig={some(ALNUM, 43)}%3D&se=1", "sig"),
    "url parameter": (f"see https://host/x?a=b&access_token={TOKEN}#top", TOKEN),
    "url login": (f"git clone https://me:{PASSWORD}@host/x.git", PASSWORD),
    "url token": (f"git clone https://{TOKEN}@host/x.git", TOKEN),
    "database": (f"postgres://app:{PASSWORD}@db:5432/app", PASSWORD),
    "bearer": (f"curl -H 'Authorization: Bearer {TOKEN}' x", TOKEN),
    "basic": ("Authorization: Basic " + (basic := base64.b64encode(b"aladdin:Sesame11").decode()), basic),
    "header": (f"curl -H 'X-API-Key: {TOKEN}' x", TOKEN),
    "curl login": (f"curl -u admin:{PASSWORD} x", PASSWORD),
    "json": (f'{{"name": "x", "apiKey": "{TOKEN}", "n": 1}}', TOKEN),
    "json password": ('{"user": "me", "password": "correct horse"}', "correct horse"),
    "json in json": (json.dumps({"out": json.dumps({"client_secret": TOKEN})}), TOKEN),
    "yaml": (f"auth:\n  client_secret: {TOKEN}\n  name: x", TOKEN),
    "toml": (f'auth_token = "{TOKEN}"', TOKEN),
    "python": (f"client = Client(api_key='{TOKEN}')", TOKEN),
    "cookie": (f"Cookie: session={TOKEN}; theme=dark", TOKEN),
    "azure": (f"DefaultEndpointsProtocol=https;AccountKey={some(PLAIN, 84)}==;Endpoint=x", "AccountKey="),
    "hex": (f"token: {DIGEST}", DIGEST),
    "slack hook": (
        "https://hooks.slack.com/services/" + (hook := f"T{some(ALNUM, 9)}/B{some(ALNUM, 9)}/{TOKEN}"),
        hook,
    ),
    "cut key": (private_key("")[200:], private_key("")[200:260]),
}
"""Secrets that are recognised by the text around them: the text, and the secret in it."""

PIXELS = base64.b64encode(bytes(CHANCE.choices(range(256), k=6000))).decode()
LOOK_ALIKES: tuple[str, ...] = (
    # Digests and ids
    *(hashlib.sha1(f"{number}".encode()).hexdigest() for number in range(8)),  # noqa: S324 - as git has them
    *(f"commit {hashlib.sha1(f'c{number}'.encode()).hexdigest()}" for number in range(4)),  # noqa: S324
    *(f"sha256:{hashlib.sha256(f'{number}'.encode()).hexdigest()}" for number in range(4)),
    *(f'"integrity": "sha512-{base64.b64encode(hashlib.sha512(bytes([n])).digest()).decode()}"' for n in range(4)),
    *(f"    --hash=sha256:{hashlib.sha256(f'h{number}'.encode()).hexdigest()} \\" for number in range(3)),
    *(uuid() for _ in range(5)),
    *(f"ses_{some(ALNUM, 26)}" for _ in range(3)),
    *(f"msg_{some(ALNUM, 26)}" for _ in range(3)),
    f"call_{some(ALNUM, 24)}",
    f"toolu_{some(ALNUM, 24)}",
    "index 3b18e51..a5c1f02 100644",
    "etag: W/5e8f-1a2b3c4d",
    # Data
    f"data:image/png;base64,{PIXELS}",
    f"data:font/woff2;base64,{PIXELS[::-1]}",
    PIXELS[:200],
    "d09GMgABAAAAAAZAAAoAAAAADFwAAAXzAAEAAAAAAAAAAAAAAAAA",
    "/EAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    # Words
    "sk-learn is a library for python",
    "the sk-SK locale, and the sk-estimator-with-a-long-name",
    "a task-force-of-the-people-and-their-friends",
    "desk-1234 and disk-image-2024-01-01",
    "basic authentication scheme",
    "Bearer authentication is described below",
    "the key was pressed, the token was read, the password was asked for",
    "Enter the password: it is asked for once",
    "key: Enter, access: public, auth: none",
    "Key: the thing to remember",
    "ticket: PROJ-1234",
    "secret: nobody knows",
    "Password: required",
    "The secret is out",
    "--token takes a token, --password takes a word",
    "use --password-file instead",
    # Code
    "token_type=bearer",
    '"token_type": "Bearer"',
    "max_tokens=5",
    "max_tokens: 4096",
    '"max_completion_tokens": 128000',
    "MAX_TOKEN=4096",
    "sortKey=createdAt",
    'sortKey: "created_at2"',
    "primaryKey: true",
    "foreign_key=True",
    "key=lambda item: item.name2",
    "sorted(items, key=len2)",
    "token = next(tokens1)",
    "token = self.read_token2()",
    "password = getpass.getpass()",
    "api_key = os.environ['OPENAI_API_KEY']",
    "apiKey: process.env.OPENAI_API_KEY2",
    "apiKey: config.models.openai2.apiKey",
    "export TOKEN=$GITHUB_TOKEN",
    "export TOKEN=${TOKEN:-none}",
    "TOKEN=<your-token-1>",
    "API_KEY=xxxxxxxxxxxx",
    "PASSWORD=********",
    "SECRET=null",
    "token: ${{ secrets.GITHUB_TOKEN }}",
    "tokens: 123456",
    "tokenizer: cl100k_base",
    "secretName: my-secret-1",
    "passwordField: input2",
    "authorizationUrl: https://host/oauth2/authorize",
    "tokenUrl=https://host/oauth2/token",
    "credentials: include",
    "Set-Cookie: none",
    'throw new Error("invalid token at position 12")',
    "SyntaxError: Unexpected token } in JSON at position 47",
    "const KEY_LENGTH = 32",
    "const key = event.key1",
    "key-value pairs of key-0 and key-1",
    # Styles and pages
    ".sk-spinner-2 { color: #aabbcc; margin: 0 10px }",
    "--primary-key-color: #1a2b3c;",
    "grid-template-areas: 'token1 token2'",
    "https://host/path/page.html?page=2&sort=key",
    "https://host/x?key=name&q=token",
    "ssh://git@host/x.git",
    "git@github.com:owner/repo-2.git",
    "http://localhost:4096/session",
    "mailto:someone@host.example",
    # Files
    "src/auth2/token.py",
    "/home/me/.ssh/id_rsa.pub",
    "token: src/auth2/token_reader.py",
    "password: ~/secrets/file2.txt",
    "node_modules/sk-icons-2/package.json",
    "./packages/api-keys/src/index2.ts",
    "docker run -u 1000:1000 image:1.2",
    "-----BEGIN CERTIFICATE-----",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBase64PublicKeyMaterial0123456789 me@host",
)
"""Texts that must stay as they are."""
