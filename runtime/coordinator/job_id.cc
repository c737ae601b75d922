#include "runtime/coordinator/job_id.h"

#include "absl/strings/str_cat.h"

namespace rm::coordinator {

std::string MakeJobId(absl::string_view name, uint64_t bits) {
  constexpr absl::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
  std::string id = absl::StrCat(name, "-");
  for (int i = 0; i < 6; ++i) id += kDigits[(bits >> (5 * i)) & 31];
  return id;
}

}  // namespace rm::coordinator
