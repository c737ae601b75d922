// The keys of a job file: the one table that parsing, validation and defaults follow, and from
// which the reference in docs/ and the JSON Schema for editors can be printed.
//
// Names, order and sections are those of the file. A key that a later version will obey stands
// here, too, so that it is refused by name today. To add a key: its field in proto/job.proto, and
// its line in key_table.cc.
#ifndef RM_RUNTIME_JOBSPEC_KEY_TABLE_H_
#define RM_RUNTIME_JOBSPEC_KEY_TABLE_H_

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rm::jobspec {

enum class KeyType {
  kText,       // any text
  kPath,       // text that MakePathsAbsolute makes absolute
  kFile,       // a path to a file that goes with the job: uploaded, then named "artifact:<sha256>"
  kChoice,     // one of `choices`
  kWhole,      // int64
  kNumber,     // double, finite
  kDuration,   // "30s" → seconds as double
  kBytes,      // "8MiB" → int64
  kTextList,   // [a, b]: texts, each once
  kTextMap,    // names and texts of the user's own
  kTextListMap,  // names of the user's own, each with a list of texts
  kNumberMap,  // names and numbers: parameters; which there are depends on what they are for
  kRanks,      // N or {min, max}
  kLater,      // a key, or a whole section, of a later version
};

// The numbers that a key or a parameter may have: from min to max, the bounds included unless said
// otherwise.
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  // The bound itself is out: above 0, not at least 0.
  bool above_min = false;
  // The same at the other end: below 1, not at most 1.
  bool below_max = false;
  [[nodiscard]] constexpr bool Contains(double value) const {
    return (above_min ? value > min : value >= min) && (below_max ? value < max : value <= max);
  }
};

// One key. Views are of constants.
struct Key {
  // Its names from the top, "train.optimizer.type".
  absl::string_view path;
  KeyType type = KeyType::kText;
  // One line for people, without a full stop: it stands in tables and behind colons.
  absl::string_view doc;
  // Where its value goes in JobSpec, "checkpoint.keep_last"; for most keys the same as the path.
  absl::string_view field;
  // The default, as one would write it; empty: none.
  absl::string_view fallback = "";
  // For kChoice: what it may be, "a|b|c". For kTextMap: what each text may be; empty: anything.
  absl::string_view choices = "";
  // For kChoice: what it may be in a later version; for a number: that its upper bound will go.
  absl::string_view later = "";
  // For numbers of every kind; durations in seconds.
  Range range = {};
  // For a text: the regular expression (ECMAScript) that all of it matches; empty: any.
  absl::string_view pattern = "";
  bool required = false;
  // Required as soon as any other key of its section is given.
  bool required_in_section = false;

  // Steps by which key_table.cc writes its lines.
  [[nodiscard]] constexpr Key Default(absl::string_view text) const;
  [[nodiscard]] constexpr Key Field(absl::string_view path_in_spec) const;
  [[nodiscard]] constexpr Key Later(absl::string_view values) const;
  [[nodiscard]] constexpr Key Required() const;
  [[nodiscard]] constexpr Key RequiredInSection() const;
  [[nodiscard]] constexpr Key Among(absl::string_view choices_of_texts) const;
  [[nodiscard]] constexpr Key Pattern(absl::string_view expression) const;
  [[nodiscard]] constexpr Key In(Range allowed) const;
};

// All keys, section by section.
[[nodiscard]] absl::Span<const Key> Keys();
// The key of exactly that path, or nullptr.
[[nodiscard]] const Key* FindKey(absl::string_view path);
// The key whose names are free (kTextMap, kTextListMap, kNumberMap) and that `path` is an entry of, or nullptr.
[[nodiscard]] const Key* FindMapOf(absl::string_view path);
// True for "train" or "train.optimizer": keys lie below it.
[[nodiscard]] bool IsSection(absl::string_view path);
// The names right below a section ("" is the whole file), in order, without those of later
// versions.
[[nodiscard]] std::vector<absl::string_view> NamesIn(absl::string_view section);
// Sections, as paths, in which a key of this name stands.
[[nodiscard]] std::vector<absl::string_view> SectionsWith(absl::string_view name);

// Keys that exclude each other ("train.epochs", "train.steps"): the others of the group of `path`;
// empty for most.
[[nodiscard]] std::vector<absl::string_view> Rivals(absl::string_view path);
// All such groups.
[[nodiscard]] absl::Span<const std::vector<absl::string_view>> RivalGroups();

// "a.b" + "c" → "a.b.c"; "" + "c" → "c".
[[nodiscard]] std::string JoinKey(absl::string_view section, absl::string_view name);
// "a.b.c" → "a.b"; "c" → "".
[[nodiscard]] absl::string_view SectionOf(absl::string_view path);
// "a.b.c" → "c".
[[nodiscard]] absl::string_view NameOf(absl::string_view path);

constexpr Key Key::Default(absl::string_view text) const {
  Key key = *this;
  key.fallback = text;
  return key;
}
constexpr Key Key::Field(absl::string_view path_in_spec) const {
  Key key = *this;
  key.field = path_in_spec;
  return key;
}
constexpr Key Key::Later(absl::string_view values) const {
  Key key = *this;
  key.later = values;
  return key;
}
constexpr Key Key::Required() const {
  Key key = *this;
  key.required = true;
  return key;
}
constexpr Key Key::RequiredInSection() const {
  Key key = *this;
  key.required_in_section = true;
  return key;
}
constexpr Key Key::Among(absl::string_view choices_of_texts) const {
  Key key = *this;
  key.choices = choices_of_texts;
  return key;
}
constexpr Key Key::Pattern(absl::string_view expression) const {
  Key key = *this;
  key.pattern = expression;
  return key;
}
constexpr Key Key::In(Range allowed) const {
  Key key = *this;
  key.range = allowed;
  return key;
}

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_KEY_TABLE_H_
