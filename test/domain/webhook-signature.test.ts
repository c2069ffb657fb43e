import { Webhook } from "standardwebhooks";
import { expect, it } from "vitest";
import { newWebhookSecret, signedHeaders } from "../../src/domain/webhook-signature.ts";

it("is accepted by the reference implementation with either secret of a rotation, and with no other", () => {
  const secrets = [newWebhookSecret(), newWebhookSecret()];
  const body = JSON.stringify({ type: "job.failed", data: { message: "ümläut" } });
  const headers = signedHeaders(secrets, "dlv_1", new Date(), body);
  for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
  expect(() => new Webhook(newWebhookSecret()).verify(body, headers)).toThrow();
  expect(() => new Webhook(secrets[0] as string).verify(`${body} `, headers)).toThrow();
});
