#include "scheduler/placement/placement.h"

#include "absl/strings/str_join.h"
#include "base/check.h"
#include "scheduler/placement/pack.h"

namespace rm::scheduler {
namespace {

// The table of placements: one line each, in alphabetical order.
constexpr Placer kPlacers[] = {
    {"pack", "on as few workers as possible, then on the fullest ones", &Pack},
};

}  // namespace

absl::Span<const Placer> Placers() { return kPlacers; }

const Placer* FindPlacer(absl::string_view name) {
  for (const Placer& placer : kPlacers) {
    if (placer.name == name) return &placer;
  }
  return nullptr;
}

const Placer& PlacerNamed(absl::string_view name, const Placer& fallback) {
  const Placer* placer = name.empty() ? &fallback : FindPlacer(name);
  RM_CHECK(placer != nullptr, "a job was accepted with placement ", name);
  return *placer;
}

std::string PlacerNames() {
  return absl::StrJoin(kPlacers, ", ", [](std::string* out, const Placer& placer) {
    absl::StrAppend(out, placer.name);
  });
}

}  // namespace rm::scheduler
