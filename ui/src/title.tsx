import type { ReactElement } from "react";

/** What the page is about: its first heading, and the title of its tab. A name in it may be of any script. */
export const Title = ({ text, mono }: { text: string; mono?: boolean }): ReactElement => (
  <>
    <title>{`${text} · Tenon`}</title>
    <h1 className={mono ? "mono" : ""}>
      <bdi>{text}</bdi>
    </h1>
  </>
);
