import { createHmac, randomBytes } from "node:crypto";

const prefix = "whsec_";

/** A new secret of 256 bits, as the Standard Webhooks specification writes it. */
export function newWebhookSecret(): string {
  return `${prefix}${randomBytes(32).toString("base64")}`;
}

/**
 * The headers by which a receiver knows that a body is ours and when it was sent (Standard Webhooks 1). During a rotation it
 * is signed with each of two secrets: the receiver needs to know one.
 */
export function signedHeaders(secrets: readonly string[], id: string, sentAt: Date, body: string) {
  const timestamp = String(Math.floor(sentAt.getTime() / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
