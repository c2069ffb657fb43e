import { describe, expect, it } from "vitest";
import { type AllowedReceiver, parseAllowed, whyForbidden } from "../../src/domain/webhook-address.ts";

const allow = (...texts: string[]) => texts.map((text) => parseAllowed(text) as AllowedReceiver);
const why = (url: string, address: string, ...texts: string[]) => whyForbidden(new URL(url), address, allow(...texts));

describe("whyForbidden", () => {
  it.each([
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "240.0.0.1",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001::1",
  ])("refuses %s, whatever name it has", (address) => {
    expect(why("https://hooks.example.com/", address)).toMatch(/no public address/);
  });

  it.each(["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])("lets https through to %s", (address) => {
    expect(why("https://hooks.example.com/", address)).toBeNull();
    expect(why("https://hooks.example.com:8443/", address)).toBeNull();
    expect(why("http://hooks.example.com/", address)).toBe("only https is allowed");
    expect(why("https://hooks.example.com:25/", address)).toMatch(/port 25/);
    expect(why("https://me:pw@hooks.example.com/", address)).toMatch(/password/);
    expect(why("ftp://hooks.example.com/", address)).toMatch(/only https and http/);
  });

  it.each(["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/"])(
    "sees through %s",
    (text) => {
      const url = new URL(text);
      expect(url.hostname).toBe("127.0.0.1");
      expect(whyForbidden(url, url.hostname, [])).toMatch(/loopback/);
    },
  );

  it("lets through what the deployment allows, and nothing beside it", () => {
    expect(why("http://127.0.0.1:9000/", "127.0.0.1", "127.0.0.1:9000")).toBeNull();
    expect(why("http://127.0.0.1:9001/", "127.0.0.1", "127.0.0.1:9000")).toMatch(/loopback/);
    expect(why("http://hooks.lan/", "10.1.2.3", "10.1.0.0/16")).toBeNull();
    expect(why("http://hooks.lan/", "10.2.2.3", "10.1.0.0/16")).toMatch(/private/);
    expect(why("http://hooks.lan/", "10.2.2.3", "hooks.lan")).toBeNull();
    expect(why("http://hooks.lan:81/", "10.2.2.3", "hooks.lan:80")).toMatch(/private/);
    expect(why("http://[fd00::1]:8080/", "fd00::1", "[fd00::1]:8080")).toBeNull();
    expect(why("http://x.lan/", "::ffff:10.1.2.3", "10.1.0.0/16")).toBeNull();
  });
});

it.each(["", "a b", "http://x", "x/y", "me@x", "10.0.0.0/99", "x:99999"])("%j allows nothing", (text) => {
  expect(parseAllowed(text)).toBeNull();
});
