import { defineConfig } from 'vitest/config'

// Two layers: `unit` is pure and answers in seconds; `servers` runs against real Temporal and real Postgres.
// No 'import' here: it would reach Node's require as well, and `pg` would load its ES module parts twice.
const conditions = ['kiff-source', 'node', 'default']
const unit = ['test/core/**/*.test.ts', 'test/model/**/*.test.ts', 'test/domains/**/*.test.ts', 'test/testing/**/*.test.ts', 'test/kiff/{cases,batches,beyond,parameters,compared}.test.ts', 'test/kiff/cookbook/**/*.test.ts']
/** What every store has to keep to: run against the one in memory, and against Postgres. */
const conformance = ['test/store/conformance/**/*.test.ts']

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    pool: 'forks',
    execArgv: ['--conditions=kiff-source'],
    projects: [
      { extends: true, test: { name: 'unit', include: [...unit, ...conformance], provide: { store: 'memory' } } },
      {
        extends: true,
        test: {
          name: 'servers',
          include: ['test/**/*.test.ts'],
          exclude: [...unit, '**/node_modules/**'],
          provide: { store: 'postgres' },
          globalSetup: ['test/servers.setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 3,
        },
      },
    ],
  },
})
