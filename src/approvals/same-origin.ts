/** Whether a request was made by our own pages, as far as browsers tell. */

/**
 * True when a POST came from a page of `origin`. Every sign that is there must agree and at least one must be there:
 * under our `no-referrer` policy browsers send `Origin: null`, which counts only beside `Sec-Fetch-Site: same-origin`.
 */
export function isSameOrigin(headers: { readonly origin: string | undefined; readonly site: string | undefined }, origin: string): boolean {
  const { origin: claimed, site } = headers
  if (site !== undefined && site !== 'same-origin') return false
  if (claimed === undefined || claimed === 'null') return site === 'same-origin'
  return claimed === origin
}
