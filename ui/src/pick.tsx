import { useState, type KeyboardEvent, type ReactElement } from "react";
import { Button, Tag, TagGroup, TagList } from "react-aria-components";
import { Options, type Option } from "./options.tsx";

interface PickProps {
  readonly label: string;
  readonly hint?: string;
  readonly options: readonly Option[];
  readonly placeholder?: string;
  readonly autoFocus?: boolean;
}

/** One of the options, or another text. */
export const PickOne = ({
  value,
  onChange,
  ...about
}: PickProps & { value: string; onChange: (value: string) => void }): ReactElement => (
  <Options {...about} text={value} onText={onChange} onPick={onChange} />
);

/** Any number of the options, and other words; Enter or a comma ends a word. */
export function PickMany({
  value,
  onChange,
  ...about
}: PickProps & {
  value: readonly string[];
  onChange: (value: readonly string[]) => void;
}): ReactElement {
  const [text, setText] = useState("");
  const add = (added: readonly string[]): void => {
    setText("");
    if (added.length > 0) onChange([...new Set([...value, ...added])]);
  };
  const typed = (next: string): void => (/[\s,]/.test(next) ? add(wordsOf(next)) : setText(next));
  const enter = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || text === "" || event.defaultPrevented) return;
    event.preventDefault();
    add(wordsOf(text));
  };
  const rest = about.options.filter(({ id }) => !value.includes(id));
  return (
    <div className="pick" onKeyDown={enter} onBlur={() => add(wordsOf(text))}>
      <Options {...about} options={rest} text={text} onText={typed} onPick={(id) => add([id])} />
      <Picked label={about.label} value={value} onChange={onChange} />
    </div>
  );
}

const wordsOf = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== "");

function Picked({
  label,
  value,
  onChange,
}: {
  label: string;
  value: readonly string[];
  onChange: (value: readonly string[]) => void;
}): ReactElement | null {
  if (value.length === 0) return null;
  return (
    <TagGroup
      aria-label={`${label}: chosen`}
      onRemove={(gone) => onChange(value.filter((each) => !gone.has(each)))}
    >
      <TagList className="tags">
        {value.map((each) => (
          <Tag key={each} id={each} textValue={each} className="tag">
            {each}
            <Button slot="remove" className="remove">
              <span aria-hidden="true">×</span>
            </Button>
          </Tag>
        ))}
      </TagList>
    </TagGroup>
  );
}
