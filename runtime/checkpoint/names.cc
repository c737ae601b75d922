#include "runtime/checkpoint/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rm::checkpoint {
namespace {

using Kind = FolderName::Kind;

// How a kind of folder is told by its name. No prefix is the beginning of another.
struct Prefix {
  Kind kind;
  absl::string_view text;
};

constexpr Prefix kPrefixes[] = {
    {Kind::kCheckpoint, "step-"},
    {Kind::kTemporary, ".tmp-"},
    {Kind::kRemoved, ".removed-"},
};

// A nonce holds nothing that parts a name or a path.
bool IsAlphanumeric(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c));
  });
}

// The common form of the two kinds of tensor files.
std::string ShardFile(absl::string_view part, int rank, int world_size) {
  return absl::StrFormat("%s-%05d-of-%05d.safetensors", part, rank, world_size);
}

}  // namespace

// Twelve digits sort by name as they do by number for any job that ends in our lifetime; longer
// numbers are
// written as they are.
std::string FormatFolderName(const FolderName& name) {
  const auto prefix = std::find_if(std::begin(kPrefixes), std::end(kPrefixes),
                                   [&](const Prefix& p) { return p.kind == name.kind; });
  return absl::StrCat(prefix->text, absl::StrFormat("%012d-g%d", name.step, name.generation),
                      name.kind == Kind::kCheckpoint ? "" : "-", name.nonce);
}

// Lenient in taking apart, strict at the end: a name is ours only if we would have written it so.
// That one comparison stands for a rule a field (signs, leading zeros, empty parts, tails).
std::optional<FolderName> ParseFolderName(absl::string_view text) {
  for (const Prefix& prefix : kPrefixes) {
    absl::string_view rest = text;
    if (!absl::ConsumePrefix(&rest, prefix.text)) continue;
    const std::vector<absl::string_view> parts = absl::StrSplit(rest, '-');
    FolderName name;
    name.kind = prefix.kind;
    if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &name.step) ||
        !absl::ConsumePrefix(&(rest = parts[1]), "g") ||
        !absl::SimpleAtoi(rest, &name.generation)) {
      return std::nullopt;
    }
    if (parts.size() == 3 && !parts[2].empty()) name.nonce = std::string(parts[2]);
    // Only what is written the one way we write it: no sign, no other number of digits, no tail.
    const bool valid = name.step >= 0 && name.generation >= 1 && IsAlphanumeric(name.nonce) &&
                       name.nonce.empty() == (name.kind == Kind::kCheckpoint) &&
                       FormatFolderName(name) == text;
    return valid ? std::optional<FolderName>(name) : std::nullopt;
  }
  return std::nullopt;
}

std::string WeightsFile(int rank, int world_size) { return ShardFile("weights", rank, world_size); }

std::string OptimizerFile(int rank, int world_size) {
  return ShardFile("optimizer", rank, world_size);
}

std::vector<std::string> ShardFiles(int world_size) {
  std::vector<std::string> names;
  for (int rank = 0; rank < world_size; ++rank) {
    names.push_back(WeightsFile(rank, world_size));
    names.push_back(OptimizerFile(rank, world_size));
  }
  return names;
}

}  // namespace rm::checkpoint
