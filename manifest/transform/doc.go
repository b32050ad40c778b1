// Package transform rewrites manifests by rules, in the language of pkgmogrify(1).
//
//	rules, err := transform.Parse([]transform.File{{Name: "local.mog", Text: text}}, nil)
//	...
//	out, err := rules.Apply("editor.p5m", m)
//	...
//	changed, err := out.Manifest()
//
// [Rules.Apply] changes manifests in memory. [Rules.Run] is the whole of pkgmogrify: it
// works on the lines of the files that were parsed, and keeps comments and blank lines.
//
// # Files
//
// Blanks around lines are removed. A line that then ends in a backslash continues: the
// backslash goes, and the next line that is not blank follows with nothing between.
// "$(name)" is replaced by the value of a macro of that name, if there is one, until
// nothing can be replaced any more, even in comments and directives; a line of which
// nothing is left is dropped. What then begins with "<" and ends with ">" is a directive:
//
//	<include file>                         the lines of the file stand here
//	<transform [type...] [attr=regexp...] -> operation [argument...]>
//
// Everything else is output: blank lines, and those that begin with "#" or "<", as they
// are, all others as actions in canonical form, after the rules were applied. An action
// may have a macro without definition before it, which is put before all that comes of it.
//
// So "$(i386_ONLY)file ..." is an action, an action or a comment, as the macro has no
// definition, is empty, or is "#".
//
// # Rules
//
// A transform applies to actions of its types, or of all types if it names none, that have
// all the attributes it names. Each value of each attribute must match the regular
// expression at its beginning: path=usr/bin matches usr/bin/ls, path=bin does not. An
// expression is written as the value of an attribute in an action, but without blanks
// even in quotes, and "->" ends it.
//
// All transforms, of all files, are applied to each action in the order in which they
// were read, each to what the one before it left:
//
//	add ATTR VALUE            another value
//	set ATTR VALUE            the only value; action.hash is the payload
//	default ATTR VALUE        the value, if there is none
//	delete ATTR REGEXP        removes the values in which the expression is found
//	edit ATTR REGEXP [REPL]   replaces all that is found in all values, \1 being a group
//	drop                      removes the action, and ends work on it
//	emit [TEXT]               adds an action, a comment or a blank line behind the action
//	print [TEXT]              adds a line to another output
//	exit [CODE [MESSAGE]]     ends the run with an [ExitError]
//	abort                     the same, without status and message
//
// The arguments of the first five are words as a shell splits them, without quotes and
// backslashes. A value to which edit was applied is put out without quotes for "$(" alone,
// as one of a list. All rules are applied to emitted actions in turn. Of emitted lines that are
// equal the run puts out the first.
//
// # References
//
// These are filled in, in this order, in the texts of emit, print and exit, where values
// are quoted as in an action, and in the arguments of add, set, default and edit, where
// they are not:
//
//	%(attr)   the values of an attribute of the action, with blanks between
//	%{attr}   the values of set actions of this name that the file has had so far
//	%<1>      what a group of the expressions matched, counted over all of them as they
//	          are written, for each value of an attribute; 1 to 9
//
// Beside attributes there are %(action.hash), the payload, %(action.key), the value of the
// key attribute, %(action.name), the type, %(pkg.manifest.filename),
// %(pkg.manifest.lineno), and %{pkg.fmri.name}, the name in pkg.fmri. Options stand behind
// a semicolon each: notfound=TEXT is taken for the value if there is none, which is an
// error otherwise; sep=TEXT stands between values, prefix=TEXT and suffix=TEXT around each;
// quote and noquote say whether values are quoted. A TEXT may be in quotes.
//
// # The package
//
// At the end of each file that sets pkg.fmri, the transforms are applied once to an action
// of type pkg, whose attributes are those that set actions of the file had before they
// were changed. Changes to them last until then. The action is not put out, but what is emitted for it is.
//
// # Regular expressions
//
// They are those of Python's re, in the syntax of its version 3.11. Each is translated,
// with what its flags mean written out, for Go's regexp if that finds what Python finds,
// and for regexp2 (github.com/dlclark/regexp2) if not:
//
//	regexp    characters and their escapes, sets, \d, \w, \s and their opposites
//	          with Unicode or (?a), groups with and without names, alternatives, greedy
//	          and lazy repetition up to 1000, comments, ^, $, \A, \Z, and the flags
//	          a, i, m, s, u and x
//	regexp2   look-around, references to groups (\1, (?P=name)), conditions, atomic
//	          groups, possessive repetition, more than 1000 repetitions, repetition
//	          of what may match nothing, [^\W] and its like
//	either    by the value: \b and \B, which are Unicode's, if that is not ASCII, and
//	          $ if it ends in a newline; edit with what rather matches nothing, as a*?
//
// Characters that differ in case alone are Python's: (?i)i is also İ and ı. What regexp2
// searches may take as long as there are ways to match, so one value must be done within
// [Options].MaxTime; a [*LimitError] in a [*PatternError] says of which expression and,
// with the [Error] around it, of which line and rule it was not.
//
// Look-behind may be of any length, and repetition counts to 1<<30. There is no promise for
// a condition on a group within that group, nor for what a group holds that is repeated in
// look-behind, or that matched nothing in a repetition within another. "\N{name}" is
// refused with an error that matches errors.ErrUnsupported. Empty matches that follow
// another directly count, as in Python: "edit attr .* x" gives xx.
//
// # Refused
//
// This package is stricter than the reference where that would go wrong. A file that ends
// in a continued line is refused, and so is a comment that would continue on the next
// line; attributes named hash or data, or with blanks, quotes or "=" in their names, and
// control characters; unknown options of references; "%<10>". An action that was left
// without its key attribute can be put out, but [Output.Manifest] refuses it. The size of
// files and results and the depth of includes and emits have limits ([Options]): a rule that
// emits what it applies to, without end, is found that way.
package transform
