/** Limits: whether this machine can hold them, and whether it does. */
import { type Check, failed, pass, skipped, warn, whileSharing, withMachine } from "../check.ts";

const support: Check = {
  id: "limits.support",
  group: "limits",
  title: "The kernel can limit guests",
  run: (context) =>
    withMachine(context, ({ capabilities }) => {
      switch (capabilities.limits?.state) {
        case undefined:
          return skipped("This platform has no limits.");
        case "supported":
          return pass(`With ${capabilities.limits.leaf} queues.`);
        case "unsupported": {
          const { message, hint } = capabilities.limits.error;
          return warn(message, hint ?? "Guests share the connection without limits.");
        }
      }
    }),
};

const applied: Check = {
  id: "limits.applied",
  group: "limits",
  title: "The limits are in the kernel",
  run: (context) =>
    whileSharing(context, ({ plan }, { observation }) => {
      const wanted = plan.spec.limits;
      if (wanted === undefined) return skipped("Nobody is limited.");
      const reapply = "Switch sharing off and on again: higgsnode off && higgsnode on";
      switch (observation.limits?.state) {
        case undefined:
        case "unavailable":
          return skipped("This machine has no limits.");
        case "absent":
          return failed("None of them is there.", reapply);
        case "differs":
          return failed(observation.limits.differences.slice(0, 3).join("; "), reapply);
        case "matches":
          return pass(`Of ${wanted.clients.length} clients.`);
      }
    }),
};

export const limitChecks: readonly Check[] = [support, applied];
