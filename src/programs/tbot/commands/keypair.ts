import type { CommandIo } from "#base/cli";
import type { Command } from "commander";
import { defineKeypairCreate } from "./keypair/create.ts";
import { defineKeypairRotate } from "./keypair/rotate.ts";

export function defineKeypair(command: Command, io: CommandIo): void {
  const child = (name: string, summary: string): Command =>
    command.command(name).summary(summary).description(summary);
  const create = "make the bound keypair of a machine, or show the one that it has";
  defineKeypairCreate(child("create", create), io);
  defineKeypairRotate(
    child("rotate", "replace the bound keypair of a machine that has joined"),
    io,
  );
}
