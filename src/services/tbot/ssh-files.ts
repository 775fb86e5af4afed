import type { Artifact } from "./destinations/destination.ts";
import type { OutputCredentials } from "#services/bot-client";

/** `known_hosts` trusts the cluster's host authority; `ssh_config` says which key and certificate to use. */
export function sshFiles(credentials: OutputCredentials, where: string): Artifact[] {
  const { clusterName, hostSsh } = credentials.trust;
  const known = hostSsh
    .map((line) => `@cert-authority *.${clusterName},${clusterName} ${line}\n`)
    .join("");
  return [
    { name: "known_hosts", data: known, public: true },
    { name: "ssh_config", data: sshConfig(clusterName, where), public: true },
  ];
}

function sshConfig(clusterName: string, where: string): string {
  return `# Written by tbot; it is replaced at every renewal.
Host *.${clusterName} ${clusterName}
    IdentityFile "${where}/key"
    CertificateFile "${where}/key-cert.pub"
    UserKnownHostsFile "${where}/known_hosts"
    IdentitiesOnly yes
    HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com
`;
}
