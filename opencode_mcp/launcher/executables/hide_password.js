// Runs inside OpenCode before OpenCode itself (Bun reads BUN_INSPECT_PRELOAD). The password is taken out of what
// OpenCode's children inherit: shells, terminals, MCP servers, language servers, formatters. OpenCode's own code can
// still read it by its name.
import { dlopen, toArrayBuffer } from "bun:ffi"

const NAME_1 = "OPENCODE_SERVER_PASSWORD"
const NAME_2 = "OPENCODE_PASSWORD"
const LISTENING = "opencode server listening"
const LIBRARIES = ["libc.so.6", "libSystem.B.dylib", "libc.so"]
const STAR = 42

// Terminals are started by native code, which copies the C library's environment: there the value is overwritten.
function overwrite(name, value) {
  for (const library of LIBRARIES) {
    try {
      const { symbols } = dlopen(library, { getenv: { args: ["cstring"], returns: "ptr" } })
      const address = symbols.getenv(Buffer.from(`${name}\0`))
      if (address) new Uint8Array(toArrayBuffer(address, 0, Buffer.byteLength(value))).fill(STAR)
      return
    } catch {
      // Another system's library.
    }
  }
}

// What JavaScript starts gets a copy of all enumerable variables.
function hide() {
  const value = process.env[NAME_1]
  if (value === undefined) return
  delete process.env[NAME_1]
  Object.defineProperty(process.env, NAME_1, { value, enumerable: false, configurable: true, writable: true })
  overwrite(NAME_1, value)
}

delete process.env.BUN_INSPECT_PRELOAD
const password = process.env[NAME_2]
if (password === undefined) {
  // OpenCode 1 has read its password once the server listens.
  const print = console.log
  console.log = (...words) => {
    print(...words)
    if (!String(words[0]).startsWith(LISTENING)) return
    console.log = print
    hide()
  }
} else {
  // OpenCode 2 removes the variable itself when it has read it, but only from JavaScript's environment, which is a copy
  // as soon as the variable is set.
  process.env[NAME_2] = password
  overwrite(NAME_2, password)
}
