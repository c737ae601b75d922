#include "base/flags.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/units.h"

namespace rm::base {
namespace {

absl::Status BadValue(absl::string_view flag, absl::string_view value, absl::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, ": '", value, "' is not ", wanted));
}

// Stores `text` in the flag's target.
struct Store {
  absl::string_view flag;
  absl::string_view text;

  absl::Status operator()(std::string* target) const {
    *target = std::string(text);
    return absl::OkStatus();
  }
  absl::Status operator()(std::vector<std::string>* target) const {
    target->emplace_back(text);
    return absl::OkStatus();
  }
  absl::Status operator()(int64_t* target) const {
    return absl::SimpleAtoi(text, target) ? absl::OkStatus()
                                          : BadValue(flag, text, "a whole number");
  }
  absl::Status operator()(double* target) const {
    return absl::SimpleAtod(text, target) ? absl::OkStatus() : BadValue(flag, text, "a number");
  }
  absl::Status operator()(bool* target) const {
    return absl::SimpleAtob(text, target) ? absl::OkStatus()
                                          : BadValue(flag, text, "true or false");
  }
  absl::Status operator()(absl::Duration* target) const {
    auto duration = ParseDuration(text);
    if (!duration.ok()) return Annotate(duration.status(), absl::StrCat("--", flag));
    *target = *duration;
    return absl::OkStatus();
  }
};

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

void FlagSet::Add(absl::string_view name, Target target, absl::string_view help, char short_name) {
  flags_.push_back({std::string(name), target, std::string(help), short_name});
}

const FlagSet::Flag* FlagSet::Find(absl::string_view argument_name) const {
  for (const Flag& flag : flags_) {
    if (argument_name == absl::StrCat("--", flag.name)) return &flag;
    if (flag.short_name != 0 && argument_name == absl::StrCat("-", std::string(1, flag.short_name)))
      return &flag;
  }
  return nullptr;
}

absl::Status FlagSet::Unknown(absl::string_view argument) const {
  std::vector<std::string> names;
  for (const Flag& flag : flags_) names.push_back(absl::StrCat("--", flag.name));
  const std::string nearest = NearestName(argument, names);
  return absl::InvalidArgumentError(
      absl::StrCat("unknown flag '", argument, "'",
                   nearest.empty() ? "" : absl::StrCat(" – did you mean '", nearest, "'?")));
}

absl::StatusOr<std::vector<std::string>> FlagSet::Parse(
    absl::Span<const std::string> arguments) const {
  std::vector<std::string> rest;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const absl::string_view argument = arguments[i];
    if (argument == "--") {
      rest.insert(rest.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                  arguments.end());
      break;
    }
    if (argument.size() < 2 || argument[0] != '-') {  // "-" alone means standard input
      rest.emplace_back(argument);
      continue;
    }
    const size_t equals = argument[1] == '-' ? argument.find('=') : absl::string_view::npos;
    const Flag* flag = Find(argument.substr(0, equals));
    if (flag == nullptr) return Unknown(argument.substr(0, equals));
    std::string value;
    if (equals != absl::string_view::npos) {
      value = std::string(argument.substr(equals + 1));
    } else if (std::holds_alternative<bool*>(flag->target)) {
      value = "true";
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    } else {
      return absl::InvalidArgumentError(absl::StrCat("--", flag->name, " needs a value"));
    }
    RM_RETURN_IF_ERROR(std::visit(Store{flag->name, value}, flag->target));
  }
  return rest;
}

std::string FlagSet::Help() const {
  std::string text;
  for (const Flag& flag : flags_) {
    const std::string shown =
        flag.short_name != 0 ? absl::StrCat("-", std::string(1, flag.short_name), ", --", flag.name)
                             : absl::StrCat("--", flag.name);
    const size_t pad = shown.size() < 22 ? 22 - shown.size() : 1;
    absl::StrAppend(&text, "  ", shown, std::string(pad, ' '), flag.help, "\n");
  }
  return text;
}

std::string NearestName(absl::string_view word, absl::Span<const std::string> candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::vector<std::string> ArgumentVector(int argc, char** argv) {
  return argc > 1 ? std::vector<std::string>(argv + 1, argv + argc) : std::vector<std::string>();
}

}  // namespace rm::base
