import { connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { findUser, userOfPeer } from "./peer-user.ts";

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 552 1 0000000055b9661d 100 0 0 10 0
   1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 553 1 0000000055b9661d 20 4 0 10 -1
   2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 554 1 0000000055b9661d 20 4 0 10 -1
   3: 0100007F:9C41 0100007F:1F90 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0000000055b9661d
   4: 0200007F:9C42 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1002        0 555 1 0000000055b9661d 20 4 0 10 -1
`;
const TABLE_6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:9C40 00000000000000000000000001000000:1F90 01 00000000:00000000 00:00000000 00000000  1003        0 556 1 0 20 4 0 10 -1
`;

const sockets: { destroy(): void }[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

describe("the user at the other end of a loopback connection", () => {
  const panel = { host: "127.0.0.1", port: 8080 };

  it.each([
    ["127.0.0.1", 40_000, 1001],
    // Closed by its program.
    ["127.0.0.1", 40_001, undefined],
    // Another one that has the same port at another address.
    ["127.0.0.1", 40_002, undefined],
    ["127.0.0.2", 40_002, 1002],
    ["not an address", 40_000, undefined],
  ])("of %s, port %d, is %s", (host, port, user) => {
    expect(findUser(TABLE, { host, port }, panel, "LE")).toBe(user);
  });

  it("is found over IPv6, and in the words of other processors", () => {
    expect(findUser(TABLE_6, { host: "::1", port: 40_000 }, { host: "::1", port: 8080 }, "LE")).toBe(1003);
    const bigEndian = TABLE.replaceAll("0100007F", "7F000001");
    expect(findUser(bigEndian, { host: "127.0.0.1", port: 40_000 }, panel, "BE")).toBe(1001);
  });

  it("is oneself for a connection of one's own", async () => {
    const accepted = Promise.withResolvers<Socket>();
    const server = createServer(accepted.resolve);
    sockets.push({ destroy: () => server.close() });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const own = connect(typeof address === "object" ? (address?.port ?? 0) : 0, "127.0.0.1");
    const socket = await accepted.promise;
    sockets.push(own, socket);
    expect(userOfPeer(socket)).toBe(process.platform === "linux" ? process.getuid?.() : undefined);
  });
});
