// npm run lab -- up | shell HOST | exec HOST COMMAND…
import { runByHand } from "../e2e/lab/by-hand.ts";

try {
  process.exitCode = await runByHand(process.argv.slice(2));
} catch (error) {
  console.error(`lab: ${error.message}`);
  process.exitCode = 1;
}
