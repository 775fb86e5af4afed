import { request } from "node:https";
import type { TestCluster } from "./cluster.ts";
import { until } from "./wait.ts";
import type { WebClient } from "./web-client.ts";

/** What a browser's EventSource would get. */
export class Heard {
  text = "";
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
    this.#request = request({ ...about, headers: { cookie } }, (response) => {
      response.setEncoding("utf8").on("data", (part: string) => (this.text += part));
      response.on("error", () => {});
    });
    this.#request.on("error", () => {}).end();
  }

  async waitFor(wanted: (text: string) => boolean): Promise<void> {
    await until("the stream", () => wanted(this.text));
  }

  close(): void {
    this.#request.destroy();
  }
}
