import { request } from "node:https";
import type { TestCluster } from "./cluster.ts";
import { until } from "./wait.ts";
import type { WebClient } from "./web-client.ts";

/** What a browser's EventSource would get. */
export class Heard {
  text = "";
  ended = false;
  readonly #request;

  constructor(cluster: TestCluster, { cookie }: WebClient) {
    const { host, port } = cluster.address;
    const about = {
      host,
      port,
      path: "/v1/webapi/sites/-/live",
      rejectUnauthorized: false,
      agent: false,
    };
    const headers = { cookie, accept: "text/event-stream" };
    this.#request = request({ ...about, headers }, (response) => {
      response.setEncoding("utf8").on("data", (part: string) => (this.text += part));
      response.on("error", () => {}).on("close", () => (this.ended = true));
    });
    this.#request.on("error", () => {}).end();
  }

  /** Once it follows: nothing that changes from then on is missed. */
  static async open(cluster: TestCluster, page: WebClient): Promise<Heard> {
    const heard = new Heard(cluster, page);
    await heard.waitFor((text) => text.includes("event: ready"));
    return heard;
  }

  async waitFor(wanted: (text: string) => boolean): Promise<void> {
    await until("the stream", () => wanted(this.text));
  }

  close(): void {
    this.#request.destroy();
  }
}
