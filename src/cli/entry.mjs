#!/usr/bin/env node
// The command: says what to do where Node cannot run it. Plain JavaScript, so that an old Node can read it. In the repository it
// runs the sources unbuilt; the package holds a copy of it beside what was built.
const [major, minor] = process.versions.node.split('.').map(Number)
const isRepository = import.meta.url.endsWith('/src/cli/entry.mjs')
if (major < 22 || (major === 22 && minor < 22)) {
  console.error(`Node ${process.versions.node} is too old: install Node 22.22 or newer${isRepository ? ' (on Linux, "npm ci" in this folder brings one)' : ''}.`)
  process.exit(1)
}
// Whoever reads along, as `| head` does, may have seen enough. A command with servers to stop listens as well, and ends by itself.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error
  if (process.stdout.listenerCount('error') === 1) process.exit()
})
await import(isRepository ? './main.ts' : './main.js')
