import { isIP } from "node:net";
import { HostCertificate, type HostCertificateOptions } from "./host-certificate.ts";
import { WebCertificate, type WebCertificateOptions } from "./web-certificate.ts";

export interface CertificatesOptions
  extends HostCertificateOptions, Omit<WebCertificateOptions, "names"> {
  readonly publicAddr: { readonly host: string };
}

/** Both of the proxy's certificates, each kept fresh until it is disposed. */
export async function openCertificates(
  options: CertificatesOptions,
  owned: AsyncDisposableStack,
): Promise<{ host: HostCertificate; web: WebCertificate }> {
  const host = owned.use(new HostCertificate(options));
  const web = owned.use(await WebCertificate.open({ ...options, names: webNames(options) }));
  return { host, web };
}

/** What a self-signed web certificate is for. */
function webNames({ authorities: { clusterName }, publicAddr }: CertificatesOptions): string[] {
  const publicNames = isIP(publicAddr.host)
    ? [publicAddr.host]
    : [publicAddr.host, `*.${publicAddr.host}`];
  const always = [clusterName, `*.${clusterName}`, "localhost", "127.0.0.1", "::1"];
  return [...new Set([...always, ...publicNames])];
}
