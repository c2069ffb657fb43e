import { type OperationState, operationStates } from "../domain/operation.ts";
import { builder } from "./builder.ts";

const descriptions: Record<OperationState, string> = {
  running: "It is being done, chunk by chunk.",
  succeeded: "No job is left to which it could be done.",
  stopped: "Somebody has stopped it. What was done stays done.",
  failed: "It could not go on; `error` says why. What was done stays done.",
};

export const OperationStateEnum = builder.enumType("OperationState", {
  description: "How far an operation is.",
  values: Object.fromEntries(
    operationStates.map((value) => [value.toUpperCase(), { value, description: descriptions[value] }]),
  ) as { [S in OperationState as Uppercase<S>]: { value: S; description: string } },
});
