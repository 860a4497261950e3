// Errors as Terraform shows them. Their text is the server's; what they are about is named, a secret never.

export interface Diagnostic {
  readonly severity: number;
  readonly summary: string;
  readonly detail?: string;
  readonly attribute?: { readonly steps: readonly { readonly attribute_name: string }[] };
}

const ERROR = 1;

export function errorDiagnostic(error: unknown): Diagnostic {
  return { severity: ERROR, summary: error instanceof Error ? error.message : String(error) };
}

export function attributeDiagnostic(attribute: string, summary: string): Diagnostic {
  return { severity: ERROR, summary, attribute: attributePath(attribute) };
}

export function attributePath(attribute: string): { steps: { attribute_name: string }[] } {
  return { steps: [{ attribute_name: attribute }] };
}
