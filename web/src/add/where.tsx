import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";

const ways = [
  {
    how: "bound_keypair",
    title: "On a machine",
    about: "It makes a key of its own, and proves itself by it for as long as it lives.",
  },
  {
    how: "github",
    title: "In GitHub Actions",
    about: "Each job proves by its ID token that it is of your repository; there is no secret.",
  },
] as const;

/** Where the bot runs decides how it joins; it stands in the address. */
export const Where = ({ how }: { how: string }): ReactElement => (
  <nav className="columns" aria-label="Where it runs">
    {ways.map((way) => (
      <Link
        key={way.how}
        to="/add-bot"
        search={{ how: way.how }}
        replace
        className="card"
        aria-current={how === way.how ? "true" : undefined}
      >
        <strong>{way.title}</strong>
        <span className="soft">{way.about}</span>
      </Link>
    ))}
  </nav>
);
