/** Every function exported here can be started as a workflow; nothing else may be exported. */
export { supportAgent } from './support-agent.ts'
export { shopReports } from './shop-reports.ts'
export { toolLoop } from './tool-loop.ts'
