/**
 * Has a Node process of this host collect its garbage, through the inspector that SIGUSR1 opens on loopback (Chrome DevTools
 * Protocol, HeapProfiler.collectGarbage). Prints `{"heapBytes":…}`: what is in use afterwards.
 */
const INSPECTOR = "http://127.0.0.1:9229/json";
const TIMEOUT_MS = 10_000;

interface Answer {
  id: number;
  result?: { usedSize?: number };
}

const deadlineMs = performance.now() + TIMEOUT_MS;
const socket = new WebSocket(await address());
await new Promise((resolve, reject) => {
  socket.onopen = resolve;
  socket.onerror = () => reject(new Error("the inspector did not let us in"));
});
// The first time around things are only prepared to be let go of, such as what weak references held.
await ask(1, "HeapProfiler.collectGarbage");
await ask(2, "HeapProfiler.collectGarbage");
const { result } = await ask(3, "Runtime.getHeapUsage");
socket.close();
process.stdout.write(`${JSON.stringify({ heapBytes: result?.usedSize ?? 0 })}\n`);

async function address(): Promise<string> {
  for (;;) {
    try {
      const [target] = (await (await fetch(INSPECTOR)).json()) as { webSocketDebuggerUrl: string }[];
      if (target !== undefined) return target.webSocketDebuggerUrl;
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function ask(id: number, method: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), TIMEOUT_MS);
    socket.addEventListener("message", ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id !== id) return;
      clearTimeout(timer);
      resolve(answer);
    });
    socket.send(JSON.stringify({ id, method }));
  });
}
