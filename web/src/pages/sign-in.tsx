import type { ReactElement } from "react";
import { useGoInside } from "../api/go-inside.ts";
import { Door } from "../door.tsx";

export function SignInPage(): ReactElement {
  const goInside = useGoInside();
  return (
    <main className="door">
      <title>Sign in · Tenon</title>
      <Door onEntered={goInside} />
    </main>
  );
}
