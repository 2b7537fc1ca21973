/** Brings a lab up with something running in it, says so on standard output, and holds it until it is killed. */
import { InternetUser } from "../internet-user.ts";
import { Lab } from "../lab.ts";

const lab = await Lab.create();
const node = new InternetUser(lab.host("node"));
await node.listen(7777);
await lab.host("node").mustExec(["wireguard-go", "wg0"]);
console.log(JSON.stringify({ ready: true, namespaces: lab.namespaces(), folder: lab.folder }));
