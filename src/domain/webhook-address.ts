import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** What the deployment lets webhooks reach beside the public internet: a host by its name, or addresses. */
export interface AllowedReceiver {
  /** A host as URLs name it; null: any whose address is in `range`. */
  host: string | null;
  range: [ipaddr.IPv4 | ipaddr.IPv6, number] | null;
  /** Null: any port. */
  port: number | null;
}

/** Reads `HOST[:PORT]`, `ADDRESS[:PORT]`, `[ADDRESS]:PORT` or `NETWORK/BITS`; null when it is none of them. */
export function parseAllowed(text: string): AllowedReceiver | null {
  if (ipaddr.isValidCIDR(text)) return { host: null, range: ipaddr.parseCIDR(text), port: null };
  if (isIP(text) === 6) return { host: `[${text}]`, range: whole(text), port: null };
  const url = URL.parse(`http://${text}`);
  if (url === null || url.pathname !== "/" || /[/@?#\s]/.test(text)) return null;
  // `URL` leaves out port 80.
  const [, port] = /:(\d{1,5})$/.exec(text) ?? [];
  const address = bare(url.hostname);
  return {
    host: url.hostname,
    range: isIP(address) === 0 ? null : whole(address),
    port: port === undefined ? null : Number(port),
  };
}

/**
 * Why nothing may be sent to this URL at this address, one of those that its host has now; null when it may. To be asked for
 * every address, at the very connection, and again after each redirect.
 */
export function whyForbidden(url: URL, address: string, allowed: readonly AllowedReceiver[]): string | null {
  if (url.protocol !== "https:" && url.protocol !== "http:") return "only https and http are spoken";
  if (url.username !== "" || url.password !== "") return "a URL with a user or a password is not used";
  const at = ipaddr.process(address);
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  if (allowed.some((one) => (one.port ?? port) === port && names(one, url.hostname, at))) return null;
  if (at.range() !== "unicast") return `${at} is no public address (${at.range()})`;
  if (url.protocol !== "https:") return "only https is allowed";
  if (port !== 443 && port < 1024) return `port ${port} is that of another protocol`;
  return null;
}

function names({ host, range }: AllowedReceiver, hostname: string, at: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (host === hostname) return true;
  return range !== null && range[0].kind() === at.kind() && at.match(range);
}

function whole(address: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const at = ipaddr.process(address);
  return [at, at.kind() === "ipv4" ? 32 : 128];
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
