import { Title } from "@tenon/ui";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";

/** An address that leads nowhere, such as one that was typed. */
export const Nowhere = (): ReactElement => (
  <>
    <Title text="There is no such page" />
    <p>
      The address may be mistyped, or of another version.{" "}
      <Link to="/bots" search={{ search: "" }}>
        To the bots
      </Link>
    </p>
  </>
);
