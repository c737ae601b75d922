#include "runtime/trainer/fingerprint.h"

#include <unistd.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "base/cpu.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/units.h"
#include "kernels/kernels.h"
#include "runtime/trainer/gather.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;
namespace {

constexpr size_t kPlanDigits = 12;

// oneDNN cuts its loops by the sizes of the caches.
std::string Caches() {
  std::string text;
  for (const int name : {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE}) {
    const long bytes = ::sysconf(name);  // 0 or −1 where the system does not say
    absl::StrAppend(&text, " ", bytes > 0 ? base::FormatBytes(bytes) : "unknown");
  }
  return text;
}

// What is not float32. The types of all nodes are in the hash; this is for people.
std::string Precision(const graph::Program& program) {
  if (program.precision() == graph::Precision::kFloat32) return "";
  return absl::StrCat(", ", graph::PrecisionName(program.precision()));
}

// The choices, then every node with its shapes, its layouts and its kernel, in the order in which
// they run. Threads are left out: people read them beside the hash.
std::string HashOf(const graph::Program& program, const pb::Plan& plan) {
  base::Sha256 sum;
  const std::string choices = absl::StrCat(plan.bucket_bytes(), "|", plan.wire_dtype(), "\n");
  sum.Update(choices.data(), choices.size());
  for (const graph::NodeReport& node : program.Report()) {
    const std::string line = absl::StrCat(node.node, "|", node.instance, "|", node.kernel, "\n");
    sum.Update(line.data(), line.size());
  }
  return sum.HexDigest().substr(0, kPlanDigits);
}

}  // namespace

std::string FingerprintOf(const graph::Program& program, const pb::Plan& plan) {
  const int threads = plan.threads();
  return absl::StrCat("ISA ", base::IsaName(base::CpuIsa()), ", ", kernels::CpuLibraries(),
                      ", caches", Caches(), ", ", threads, threads == 1 ? " thread" : " threads",
                      Precision(program), ", plan ", HashOf(program, plan));
}

// Also a kept plan goes over the wire, so that ranks agree even if they were told different ones. A
// plan without threads is none: that of a job in which nobody has trained yet.
absl::StatusOr<pb::Plan> AgreeOnPlan(comm::Communicator& communicator, const pb::Plan& kept,
                                     const pb::Plan& own) {
  const pb::Plan& mine = kept.threads() > 0 ? kept : own;
  RM_ASSIGN_OR_RETURN(const std::string bytes,
                      BroadcastBytes(communicator, mine.SerializeAsString(), 0));
  pb::Plan plan;
  if (!plan.ParseFromString(bytes) || plan.threads() < 1) {
    return absl::InternalError("rank 0 sent a plan that cannot be read");
  }
  return plan;
}

// All see all, so that every rank ends with the same sentence, not only the odd one out.
absl::Status CheckFingerprints(comm::Communicator& communicator, const std::string& mine) {
  RM_ASSIGN_OR_RETURN(const std::vector<std::string> all, GatherBytes(communicator, mine));
  for (size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "DeterminismMismatch: rank ", rank, " computes by (", all[rank], "), rank 0 by (", all[0],
        "): with train.determinism: exact all machines must be alike; choose them with "
        "resources.node_selector, or use determinism: fast"));
  }
  return absl::OkStatus();
}

absl::Status CheckContinues(const std::string& what, const std::string& before,
                            const std::string& now) {
  if (before == now) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "DeterminismMismatch: ", what, " was computed by (", before, "), this generation would by (",
      now, "): with train.determinism: exact a job ends on machines like those, and with the "
      "release, that it began on; choose them with resources.node_selector, or submit it with "
      "determinism: fast"));
}

}  // namespace rm::trainer
