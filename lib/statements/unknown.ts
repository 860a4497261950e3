/** Stands for a token in SQL: a letter that no SQL has. */
export const UNKNOWN = "\ue000";
