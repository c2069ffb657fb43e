/** The environment, as far as a file refers to it. */
export type Variables = Readonly<Record<string, string | undefined>>;

const reference = /\$\$|\$\{([^}]+)\}|\$([A-Za-z_][A-Za-z0-9_]*)/g;
/** In the order in which FlowerPower looks for them, which is not the order in which they stand. */
const operators = [":-", "-", ":?", "?"] as const;

/** A variable that a file needs and the environment does not have, in the file's own words. */
export class MissingVariableError extends Error {}

/**
 * A text of a YAML file with its references resolved, as FlowerPower does it: `${VAR}`, `$VAR`, `${VAR:-default}`,
 * `${VAR-default}`, `${VAR:?message}`, `${VAR?message}`; `$$` is a dollar sign.
 */
export function interpolate(text: string, env: Variables): string {
  return text.replace(reference, (whole, inBraces: string | undefined, bare: string | undefined) => {
    if (whole === "$$") return "$";
    const inner = inBraces ?? bare ?? "";
    const operator = inBraces === undefined ? undefined : operators.find((one) => inner.includes(one));
    if (operator === undefined) return env[inner.trim()] ?? "";
    const at = inner.indexOf(operator);
    const name = inner.slice(0, at).trim();
    const argument = inner.slice(at + operator.length);
    const value = env[name];
    // With a colon an empty variable counts as none.
    if (value !== undefined && (value !== "" || !operator.startsWith(":"))) return value;
    if (operator.endsWith("-")) return argument;
    throw new MissingVariableError(argument === "" ? `the environment variable ${name} is not set` : argument);
  });
}
