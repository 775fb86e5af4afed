import type { Found } from "#services/bot-client";

/**
 * An inventory as Ansible's `yaml` plugin reads it: every node a host under its name, its labels in
 * the variable `tenon_labels`.
 */
export function ansibleInventory(nodes: readonly Found[]): object {
  const hosts = Object.fromEntries(nodes.map((node) => [node.name, variablesOf(node)]));
  return { all: { hosts } };
}

function variablesOf({ address, hostname, labels }: Found): object {
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  return {
    // Brackets are of the address, not of the host.
    ...(host === undefined ? {} : { ansible_host: host.replaceAll(/^\[|\]$/g, "") }),
    ...(port === undefined ? {} : { ansible_port: Number(port) }),
    ...(hostname === "" ? {} : { tenon_hostname: hostname }),
    tenon_labels: labels,
  };
}
