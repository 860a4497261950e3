// Writes the API reference so that it reads on GitHub: an index first, and nothing that a signature says already.
import { Converter, ReflectionKind } from "typedoc";
import { MarkdownTheme, MarkdownThemeContext } from "typedoc-plugin-markdown";

export function load(app) {
  app.renderer.defineTheme("reference", ReferenceTheme);
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const reflection of Object.values(project.reflections)) {
      reflection.comment?.blockTags.filter(({ tag }) => tag === "@default").forEach(showDefault);
    }
  });
}

/** A default is code, but for one that begins with a dash, which is prose. */
function showDefault(tag) {
  const text = tag.content.map((part) => part.text).join("");
  tag.content = text.startsWith("- ")
    ? [{ kind: "text", text: text.slice(2) }]
    : [{ kind: "code", text: `\`${text}\`` }];
}

class ReferenceTheme extends MarkdownTheme {
  getRenderContext(page) {
    return new ReferenceContext(this, page, this.application.options);
  }
}

class ReferenceContext extends MarkdownThemeContext {
  constructor(...args) {
    super(...args);
    const { body, groupIndex } = this.partials;
    const lines = (...parts) => parts.filter((part) => part !== "").join("\n\n");
    const indexOf = (module) => groupIndex.call(this, { children: module.children ?? [] });

    Object.assign(this.partials, {
      body: (model, options) =>
        model.kind === ReflectionKind.Project
          ? lines(
              "Written by `npm run docs` from the docstrings of `lib/` and `stacks/`.",
              ...model.children.map((module) =>
                lines(
                  `## [${module.name}](${this.urlTo(module)})`,
                  this.partials.comment(module.comment, { showTags: false }),
                  indexOf(module),
                ),
              ),
            )
          : model.kind === ReflectionKind.Module
            ? lines(indexOf(model), body.call(this, model, options))
            : body.call(this, model, options),
      // Whose methods they were first is of no use to a caller.
      inheritance: () => "",
      hierarchy: () => "",
      accessor: (model, { headingLevel }) =>
        lines(
          this.partials.signatureTitle(model.getSignature, { accessor: "get" }),
          this.partials.comment(model.getSignature.comment, { headingLevel }),
        ),
      // The types of parameters and result stand in the title.
      signature: (model) => {
        const described = (model.parameters ?? []).filter((parameter) => parameter.hasComment());
        const comment = model.comment ?? model.parent?.comment;
        return lines(
          this.partials.signatureTitle(model),
          comment ? this.partials.comment(comment, { showTags: false }).trim() : "",
          ...described.map(
            (parameter) => `- \`${parameter.name}\`: ${this.textOf(parameter.comment.summary)}`,
          ),
          comment ? this.throwsOf(comment) : "",
        );
      },
    });
  }

  textOf(parts) {
    return this.helpers.getCommentParts(parts).trim();
  }

  throwsOf(comment) {
    return comment.blockTags
      .filter(({ tag }) => tag === "@throws")
      .map(({ content }) => `**Throws** ${this.textOf(content)}`)
      .join("\n\n");
  }
}
