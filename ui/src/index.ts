export { Badge, Tags } from "./badge.tsx";
export { Button } from "./button.tsx";
export { Dialog } from "./dialog.tsx";
export { Field, TextField } from "./field.tsx";
export { Empty, Loading, Notice } from "./notice.tsx";
export { Facts, Panel } from "./panel.tsx";
export { Table, type Column } from "./table.tsx";
export { Time } from "./time.tsx";
