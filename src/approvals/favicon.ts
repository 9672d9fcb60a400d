/** A gate, half open. */
export const favicon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5f54"/><path d="M8 25V8M24 25V8M8 12l11 5M8 21l11 2M19 15v9" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/></svg>
`
