import { describe, expect, it } from "vitest";
import { isSecretName, redacted } from "../../src/domain/secrets.ts";
import names from "../protocol/secret-names.json" with { type: "json" };

describe("isSecretName", () => {
  it.each(names.secret)("takes %s for a secret", (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each(names.plain)("takes %s for none", (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe("redacted", () => {
  it("hides what stands under a secret's name, at any depth, whatever it is", () => {
    const value = { day: "2024-06-01", api_key: "k", shop: [{ dbPassword: { deep: 1 }, token: 7, max_tokens: 5 }] };
    expect(redacted(value)).toEqual({
      day: "2024-06-01",
      api_key: "*****",
      shop: [{ dbPassword: "*****", token: "*****", max_tokens: 5 }],
    });
  });

  it("shows that there is none", () => {
    expect(redacted({ password: null })).toEqual({ password: null });
  });

  it("hides the password in a URL, under whatever name", () => {
    const url = "postgres://etl:s3cret@warehouse:5432/shop";
    expect(redacted({ url, note: `see ${url}, or http://h:80/x@y` })).toEqual({
      url: "postgres://etl:*****@warehouse:5432/shop",
      note: "see postgres://etl:*****@warehouse:5432/shop, or http://h:80/x@y",
    });
  });

  it("leaves the value itself as it is", () => {
    const value = { password: "p" };
    redacted(value);
    expect(value).toEqual({ password: "p" });
  });
});
