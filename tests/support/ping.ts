import { request } from "node:https";

/** Whether a cluster answers at a port of this machine, whoever signed its certificate. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    request(
      { host: "127.0.0.1", port, path: "/webapi/ping", rejectUnauthorized: false, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    )
      .on("error", () => resolve(false))
      .end();
  });
}
