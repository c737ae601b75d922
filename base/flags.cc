#include "base/flags.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/nearest_name.h"

namespace rm::base {
namespace {

// "" when `text` was taken, else what is wanted instead: one function a kind of value.
template <typename TextValue>
std::string Take(const TextValue& flag, absl::string_view text) {
  *flag.value = std::string(text);
  return "";
}

template <typename ChoiceValue>
std::string TakeChoice(const ChoiceValue& flag, absl::string_view text) {
  if (std::find(flag.choices.begin(), flag.choices.end(), text) == flag.choices.end()) {
    return absl::StrCat("must be one of ", absl::StrJoin(flag.choices, ", "));
  }
  return Take(flag, text);
}

template <typename IntegerValue>
std::string TakeInteger(const IntegerValue& flag, absl::string_view text) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < flag.least || number > flag.most) {
    return absl::StrCat("must be a whole number from ", flag.least, " to ", flag.most);
  }
  *flag.value = number;
  return "";
}

// Written so that a NaN fails: it is on neither side of any bound.
template <typename NumberValue>
std::string TakeNumber(const NumberValue& flag, absl::string_view text) {
  double number = 0;
  if (!absl::SimpleAtod(text, &number) || !(number >= flag.least && number <= flag.most)) {
    return absl::StrCat("must be a number from ", flag.least, " to ", flag.most);
  }
  *flag.value = number;
  return "";
}

// A flag that may be repeated keeps the order in which it was given.
template <typename TextsValue>
std::string TakeOneMore(const TextsValue& flag, absl::string_view text) {
  flag.values->emplace_back(text);
  return "";
}

// Scripts write --flag=$VALUE, so a switch takes words as well.
template <typename SwitchValue>
std::string TakeSwitch(const SwitchValue& flag, absl::string_view text) {
  if (text != "true" && text != "false") return "takes no value, or true or false";
  *flag.value = text == "true";
  return "";
}

// One visitor from several lambdas (the idiom of std::visit's documentation).
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace

FlagSet::FlagSet(absl::string_view program, absl::string_view summary)
    : program_(program), summary_(summary) {}

void FlagSet::Text(absl::string_view name, absl::string_view metavar, absl::string_view help,
                   std::string* value) {
  Add({std::string(name), std::string(metavar), std::string(help), *value, TextValue{value}});
}

// The choices are the best metavar there is: --output table|json.
void FlagSet::Choice(absl::string_view name, std::vector<std::string> choices,
                     absl::string_view help, std::string* value) {
  const std::string metavar = absl::StrJoin(choices, "|");
  Add({std::string(name), metavar, std::string(help), *value,
       ChoiceValue{std::move(choices), value}});
}

void FlagSet::Integer(absl::string_view name, absl::string_view metavar, absl::string_view help,
                      int64_t least, int64_t most, int64_t* value) {
  Add({std::string(name), std::string(metavar), std::string(help), absl::StrCat(*value),
       IntegerValue{least, most, value}});
}

void FlagSet::Number(absl::string_view name, absl::string_view metavar, absl::string_view help,
                     double least, double most, double* value) {
  Add({std::string(name), std::string(metavar), std::string(help), absl::StrCat(*value),
       NumberValue{least, most, value}});
}

void FlagSet::Texts(absl::string_view name, absl::string_view metavar, absl::string_view help,
                    std::vector<std::string>* values) {
  Add({std::string(name), std::string(metavar), std::string(help), "", TextsValue{values}});
}

// A letter is another name of a flag that is there already.
void FlagSet::Letter(char letter, absl::string_view name) {
  for (Flag& flag : flags_) {
    if (flag.name == name) {
      flag.letter = letter;
      return;
    }
  }
  RM_CHECK(false, "no flag --", name);
}

// No metavar: that is how a flag without a value is told from the others.
void FlagSet::Switch(absl::string_view name, absl::string_view help, bool* value) {
  Add({std::string(name), "", std::string(help), "", SwitchValue{value}});
}

void FlagSet::Add(Flag flag) {
  RM_CHECK(Find(flag.name) == nullptr, "flag --", flag.name, " is there already");
  flags_.push_back(std::move(flag));
}

const FlagSet::Flag* FlagSet::Find(absl::string_view name) const {
  for (const Flag& flag : flags_) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

// Every refusal ends with where to read on.
absl::Status FlagSet::Refuse(absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(what, " (try ", program_, " --help)"));
}

absl::Status FlagSet::RefuseUnknown(absl::string_view word) const {
  std::vector<std::string> known;
  for (const Flag& flag : flags_) known.push_back(absl::StrCat("--", flag.name));
  return Refuse(absl::StrCat("unknown flag '", word, "'", Suggestion(word, known)));
}

// --help wins over whatever else is wrong: who asks for help gets it. Behind "--" everything is a
// word of the command's own, and "-" alone is one, too: by custom it stands for standard input.
absl::Status FlagSet::Parse(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const absl::string_view word = argv[i];
    if (word == "--help" || word == "-h") {
      help_asked_ = true;
      return absl::OkStatus();
    }
    if (word == "--") {
      positionals_.insert(positionals_.end(), argv + i + 1, argv + argc);
      return absl::OkStatus();
    }
    if (!absl::StartsWith(word, "-") || word == "-") {
      positionals_.emplace_back(word);
      continue;
    }
    absl::Status taken = ParseFlag(argc, argv, &i);
    if (!taken.ok()) return taken;
  }
  return absl::OkStatus();
}

absl::StatusOr<const FlagSet::Flag*> FlagSet::Lookup(absl::string_view word) const {
  std::vector<std::string> names;
  for (const Flag& flag : flags_) {
    const bool by_letter = flag.letter != 0 && word.size() == 2 && word[1] == flag.letter;
    names.push_back(absl::StrCat("--", flag.name));
    if (by_letter || word == names.back()) return &flag;
  }
  return Refuse(absl::StrCat("unknown flag '", word, "'", Suggestion(word, names)));
}

// --name=value or --name value: the first '=' parts them, so that values may hold others. A value that
// looks like a flag is a value all the same: "--since -5m" is refused by who reads it, with a better
// message than "unknown flag".
absl::Status FlagSet::ParseFlag(int argc, const char* const* argv, int* index) {
  absl::string_view word = argv[*index];
  std::optional<absl::string_view> text;
  if (const size_t equals = word.find('='); equals != absl::string_view::npos) {
    text = word.substr(equals + 1);
    word = word.substr(0, equals);
  }
  const absl::StatusOr<const Flag*> found = Lookup(word);
  if (!found.ok()) return found.status();
  const Flag* flag = *found;
  const absl::string_view name = flag->name;
  if (!text.has_value() && flag->metavar.empty()) text = "true";
  if (!text.has_value()) {
    if (*index + 1 >= argc) {
      return Refuse(absl::StrCat("flag '--", name, "' needs a value: ", flag->metavar));
    }
    text = argv[++*index];
  }
  const std::string wanted =
      std::visit(Overloaded{[&](const TextValue& value) { return Take(value, *text); },
                            [&](const ChoiceValue& value) { return TakeChoice(value, *text); },
                            [&](const IntegerValue& value) { return TakeInteger(value, *text); },
                            [&](const NumberValue& value) { return TakeNumber(value, *text); },
                            [&](const TextsValue& value) { return TakeOneMore(value, *text); },
                            [&](const SwitchValue& value) { return TakeSwitch(value, *text); }},
                 flag->value);
  if (wanted.empty()) return absl::OkStatus();
  return Refuse(absl::StrCat("flag '--", name, "' is '", *text, "' but ", wanted));
}

absl::Status FlagSet::NoPositionals() const {
  if (positionals_.empty()) return absl::OkStatus();
  return Refuse(absl::StrCat("unexpected argument '", positionals_.front(), "'"));
}

// In the order of declaration, which is the order of importance; names and metavars in one column.
std::string FlagSet::Help() const {
  std::string text = absl::StrCat(summary_, "\n\nusage: ", program_, " ", usage_, "\n\nflags:\n");
  size_t width = 0;
  for (const Flag& flag : flags_) {
    width = std::max(width, flag.name.size() + flag.metavar.size());
  }
  for (const Flag& flag : flags_) {
    const std::string padding(width - flag.name.size() - flag.metavar.size() + 2, ' ');
    const std::string letter = flag.letter != 0 ? std::string{'-', flag.letter, ','} : "   ";
    absl::StrAppend(&text, "  ", letter, " --", flag.name, " ", flag.metavar, padding, flag.help);
    if (!flag.default_text.empty()) absl::StrAppend(&text, " (default ", flag.default_text, ")");
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace rm::base
