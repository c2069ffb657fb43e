import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from "graphql";
import type { Context, Scope } from "../schema/context.ts";
import { ForbiddenError } from "../schema/edge-errors.ts";
import { type Deadline, withinDeadline } from "./deadline.ts";
import { Documents } from "./document.ts";
import type { Log } from "./log.ts";
import { measure } from "./measure.ts";
import type { OperationParams } from "./params.ts";
import { publicError } from "./public-error.ts";
import { ResultStream } from "./result-stream.ts";
import { variableErrors } from "./variables.ts";

export type OperationResult = ExecutionResult | ResultStream;

/** An operation that was checked and measured. */
export interface Prepared extends ExecutionArgs {
  operation: OperationDefinitionNode;
  cost: number;
}

/** What every transport does with an operation: checks, measures and runs it, and shows errors as clients may see them. */
export class Operations {
  readonly #schema: GraphQLSchema;
  readonly #documents: Documents;
  readonly #deadline: Deadline;
  readonly #log: Log;
  readonly #streams = new Set<ResultStream>();
  /** Resolved when the last stream has ended after `stop`. */
  readonly #emptied = Promise.withResolvers<void>();
  #stopping: Error | null = null;

  constructor(schema: GraphQLSchema, deadline: Deadline, log: Log) {
    this.#schema = schema;
    this.#documents = new Documents(schema);
    this.#deadline = deadline;
    this.#log = log;
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /** An operation that may be performed, or why not. Cheap: nothing is read or done. */
  prepare(
    { query, operationName, variables }: OperationParams,
    contextValue: Context,
    { mayMutate }: { mayMutate: boolean },
  ): { prepared: Prepared } | { refused: readonly GraphQLError[]; cost?: number } {
    try {
      const { document, errors } = this.#documents.check(query);
      if (document === null || errors.length > 0) return { refused: this.#public(errors) };
      const operation = getOperationAST(document, operationName);
      if (operation == null) throw unidentified(operationName);
      if (operation.operation === "mutation" && !mayMutate) throw notByGet();
      const wrong = variableErrors(this.#schema, operation, variables);
      if (wrong.length > 0) return { refused: this.#public(wrong) };
      const args = { schema: this.#schema, document, operationName, variableValues: variables, contextValue };
      const { cost, error } = measure(args);
      if (error !== null) return { refused: this.#public([error]), cost };
      return { prepared: { ...args, operation, cost } };
    } catch (error) {
      return { refused: this.#public([error]) };
    }
  }

  /** Executes or subscribes. Never rejects: what goes wrong is in the result. */
  async perform(prepared: Prepared): Promise<OperationResult> {
    try {
      if (prepared.operation.operation === "subscription") return await this.#subscribe(prepared);
      const result = await this.#inTime(async () => await execute(prepared));
      return { ...this.#shown(result), extensions: { ...result.extensions, cost: prepared.cost } };
    } catch (error) {
      return this.#failed(error);
    }
  }

  async run(params: OperationParams, contextValue: Context, options: { mayMutate: boolean }): Promise<OperationResult> {
    const found = this.prepare(params, contextValue, options);
    if ("prepared" in found) return await this.perform(found.prepared);
    return { errors: found.refused, ...(found.cost !== undefined && { extensions: { cost: found.cost } }) };
  }

  /** Ends all streams with this error, and refuses new ones. Resolves when all who listen have been told. */
  async stop(error: Error): Promise<void> {
    this.#stopping = error;
    for (const stream of this.#streams) stream.stop(error);
    if (this.#streams.size > 0) await this.#emptied.promise;
  }

  async #subscribe(prepared: Prepared): Promise<OperationResult> {
    if (this.#stopping !== null) throw this.#stopping;
    const source = await this.#inTime(async () => await createSourceEventStream(prepared));
    if (!(Symbol.asyncIterator in source)) return this.#shown(source);
    const { cursorOf, scopes } = this.#subscribed(prepared);
    const stream: ResultStream = new ResultStream(source[Symbol.asyncIterator](), prepared, {
      cursorOf,
      authorize: (context) => refuseWithout(scopes, context as Context),
      failed: (error) => this.#failed(error),
      shown: (result) => this.#shown(result),
      left: () => this.#left(stream),
    });
    this.#streams.add(stream);
    return stream;
  }

  /** What the schema declares beside a subscribed field: how its items say where to resume, and who may be told. */
  #subscribed({ document, operation }: Prepared) {
    const name = rootField(operation.selectionSet, document) ?? "";
    const { extensions } = this.#schema.getSubscriptionType()?.getFields()[name] ?? {};
    const { authScopes = {} } = (extensions?.pothosOptions ?? {}) as { authScopes?: Partial<Record<Scope, boolean>> };
    return {
      cursorOf: (extensions?.cursorOf ?? (() => null)) as (item: unknown) => string | null,
      scopes: Object.keys(authScopes) as Scope[],
    };
  }

  #left(stream: ResultStream): void {
    this.#streams.delete(stream);
    if (this.#stopping !== null && this.#streams.size === 0) this.#emptied.resolve();
  }

  async #inTime<T>(work: () => Promise<T>): Promise<T> {
    return await withinDeadline(work(), this.#deadline);
  }

  #failed(error: unknown): ExecutionResult {
    return { errors: this.#public([error]) };
  }

  #shown(result: ExecutionResult): ExecutionResult {
    return result.errors === undefined ? result : { ...result, errors: this.#public(result.errors) };
  }

  #public(errors: readonly unknown[]): GraphQLError[] {
    return errors.map((error) => publicError(error, this.#log));
  }
}

/** The one field of a subscription, which may stand in a fragment. */
function rootField({ selections: [first] }: SelectionSetNode, document: DocumentNode): string | null {
  if (first === undefined) return null;
  if (first.kind === Kind.FIELD) return first.name.value;
  if (first.kind === Kind.INLINE_FRAGMENT) return rootField(first.selectionSet, document);
  const named = document.definitions.find(
    (definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === first.name.value,
  );
  return named?.kind === Kind.FRAGMENT_DEFINITION ? rootField(named.selectionSet, document) : null;
}

function refuseWithout(scopes: readonly Scope[], context: Context): void {
  if (!scopes.every((scope) => context.scopes.has(scope))) throw new ForbiddenError("this subscription any longer");
}

function unidentified(operationName: string | null): GraphQLError {
  const message =
    operationName === null
      ? "The document has several operations, or none. Say by `operationName` which to run."
      : `The document has no operation ${JSON.stringify(operationName.slice(0, 80))}.`;
  return new GraphQLError(message, { extensions: { code: "BAD_USER_INPUT", path: "operationName" } });
}

function notByGet(): GraphQLError {
  return new GraphQLError("A mutation needs POST.", { extensions: { code: "METHOD_NOT_ALLOWED" } });
}
