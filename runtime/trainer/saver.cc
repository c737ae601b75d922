// Saving beside the training. The thread of a save touches only its snapshot, its id and its outcome; the trainer looks at
// these after the atomic flags say so, and joins the thread before it uses them again.

#include "runtime/trainer/saver.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/check.h"
#include "base/status.h"
#include "runtime/trainer/gather.h"

namespace rm::trainer {
namespace {

// A report that begins so is an error message instead.
constexpr char kErrorMark = '!';

// Memory of these tensors: about what they take on disk.
uint64_t ByteCount(const std::vector<StateTensor>& tensors) {
  uint64_t bytes = 0;
  for (const StateTensor& tensor : tensors) bytes += tensor.values.size() * sizeof(float);
  return bytes;
}

// Copies the tensors for which `wanted` holds into `memory` and describes the copies.
template <typename Wanted>
std::vector<checkpoint::TensorData> CopyTensors(const std::vector<StateTensor>& tensors,
                                                const Wanted& wanted, std::vector<float>& memory) {
  size_t floats = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (wanted(i)) floats += tensors[i].values.size();
  }
  memory.resize(floats);  // the same size each time: allocated once
  std::vector<checkpoint::TensorData> copies;
  float* next = memory.data();
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!wanted(i)) continue;
    const StateTensor& tensor = tensors[i];
    const size_t bytes = tensor.values.size() * sizeof(float);
    std::memcpy(next, tensor.values.data(), bytes);
    copies.push_back({tensor.name, "F32", tensor.shape, next, bytes});
    next += tensor.values.size();
  }
  return copies;
}

}  // namespace

// Longest processing time first: no rank gets more than a third above the even share, unless one tensor is that large.
std::vector<int> AssignTensors(const std::vector<StateTensor>& tensors, int world_size) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return tensors[a].values.size() > tensors[b].values.size();
  });
  std::vector<size_t> load(static_cast<size_t>(world_size), 0);
  std::vector<int> rank_of(tensors.size(), 0);
  for (const size_t i : order) {
    const auto least = std::min_element(load.begin(), load.end());
    *least += tensors[i].values.size();
    rank_of[i] = static_cast<int>(least - load.begin());
  }
  return rank_of;
}

Saver::Saver(SaverOptions options, const Replica& replica, comm::Communicator& communicator)
    : options_(std::move(options)), replica_(&replica), communicator_(&communicator) {}

Saver::~Saver() { JoinThread(); }

void Saver::JoinThread() {
  if (thread_.joinable()) thread_.join();
}

// Rank 0 prepares the folder and draws the nonce; or says why it cannot, and then nobody writes.
absl::StatusOr<std::string> Saver::AgreeOnNonce(int64_t step) {
  std::string mine;
  if (communicator_->rank() == 0) {
    id_ = {step, options_.generation, checkpoint::NewNonce()};
    const uint64_t bytes =
        ByteCount(replica_->Weights()) + ByteCount(replica_->OptimizerState());
    const absl::Status prepared =
        checkpoint::Prepare(*options_.files, options_.folder, id_, bytes);
    mine = prepared.ok() ? id_.nonce : kErrorMark + std::string(prepared.message());
  }
  return BroadcastBytes(*communicator_, mine, 0);
}

// From here to TakeOutcome or Finish the saver is active. The snapshot is the only part that holds up the step loop.
absl::Status Saver::Begin(int64_t step, base::Json trainer_state,
                          std::map<std::string, double> metrics) {
  RM_CHECK(!active_, "a save is under way");
  JoinThread();
  active_ = true;
  collected_ = false;
  written_ = false;
  done_ = false;
  outcome_ = {};
  outcome_.step = step;
  outcome_.metrics = std::move(metrics);
  trainer_state_ = std::move(trainer_state);
  RM_ASSIGN_OR_RETURN(const std::string nonce, AgreeOnNonce(step));
  if (!nonce.empty() && nonce[0] == kErrorMark) {  // the same on every rank
    outcome_.status = absl::ResourceExhaustedError(nonce.substr(1));
    collected_ = true;
    done_ = true;
    return absl::OkStatus();
  }
  id_ = {step, options_.generation, nonce};
  TakeSnapshot();
  thread_ = std::thread([this] { WriteShard(); });
  return absl::OkStatus();
}

// Rank 0 copies all weights, since the checkpoint carries the hash of them all; it writes only its share.
void Saver::TakeSnapshot() {
  const int own = communicator_->rank();
  const std::vector<StateTensor> weights = replica_->Weights();
  const std::vector<int> rank_of = AssignTensors(weights, communicator_->world_size());
  weights_.tensors = CopyTensors(
      weights, [&](size_t i) { return own == 0 || rank_of[i] == own; }, weights_.memory);
  own_weights_.clear();
  for (size_t i = 0, copied = 0; i < weights.size(); ++i) {
    if (own != 0 && rank_of[i] != own) continue;
    const checkpoint::TensorData& tensor = weights_.tensors[copied++];
    if (rank_of[i] == own) own_weights_.push_back(tensor);
  }
  const std::vector<StateTensor> state = replica_->OptimizerState();
  const std::vector<int> state_rank_of = AssignTensors(state, communicator_->world_size());
  optimizer_.tensors = CopyTensors(
      state, [&](size_t i) { return state_rank_of[i] == own; }, optimizer_.memory);
}

// On the background thread. Nothing but reports_ and written_ is touched, and reports_ is read after the join.
void Saver::WriteShard() {
  checkpoint::ShardSpec shard;
  shard.rank = communicator_->rank();
  shard.world_size = communicator_->world_size();
  shard.weights = own_weights_;
  shard.optimizer = optimizer_.tensors;
  reports_ = checkpoint::WriteShard(*options_.files, options_.folder, id_, shard);
  written_ = true;
}

// Every rank sees every report, so all know whether the save is whole.
absl::StatusOr<std::vector<checkpoint::ShardReport>> Saver::ExchangeReports() {
  const std::string mine = reports_.ok()
                               ? checkpoint::SerializeReports(*reports_)
                               : kErrorMark + std::string(reports_.status().message());
  RM_ASSIGN_OR_RETURN(const std::vector<std::string> all, GatherBytes(*communicator_, mine));
  std::vector<checkpoint::ShardReport> reports;
  for (size_t rank = 0; rank < all.size(); ++rank) {
    // The first rank that failed names the reason for all.
    if (!all[rank].empty() && all[rank][0] == kErrorMark) {
      outcome_.status = absl::ResourceExhaustedError(
          absl::StrCat("rank ", rank, ": ", all[rank].substr(1)));
      return reports;
    }
    RM_ASSIGN_OR_RETURN(const auto parsed, checkpoint::ParseReports(all[rank]));
    reports.insert(reports.end(), parsed.begin(), parsed.end());
  }
  return reports;
}

// All ranks are here at the same step. The others are done with this save; rank 0 commits while training goes on.
absl::Status Saver::Collect() {
  RM_CHECK(active_ && !collected_, "nothing to collect");
  JoinThread();  // it has ended: its vote says so
  collected_ = true;
  RM_ASSIGN_OR_RETURN(auto reports, ExchangeReports());
  if (communicator_->rank() != 0) {
    done_ = true;
    return absl::OkStatus();
  }
  if (!outcome_.status.ok()) {
    checkpoint::Abandon(*options_.files, options_.folder, id_);
    done_ = true;
    return absl::OkStatus();
  }
  thread_ = std::thread([this, reports = std::move(reports)]() mutable { Commit(std::move(reports)); });
  return absl::OkStatus();
}

// On rank 0's background thread.
void Saver::Commit(std::vector<checkpoint::ShardReport> reports) {
  checkpoint::CommitSpec commit;
  commit.id = id_;
  commit.world_size = communicator_->world_size();
  commit.reports = std::move(reports);
  commit.lineage = options_.lineage;
  commit.trainer_state = trainer_state_;
  commit.metrics = outcome_.metrics;
  commit.weights_sha256 = checkpoint::WeightsSha256(weights_.tensors);
  commit.created = absl::Now();
  commit.keep_last = options_.keep_last;
  auto result = checkpoint::Commit(*options_.files, options_.folder, commit);
  if (result.ok()) {
    outcome_.path = result->path;
    outcome_.warnings = result->warnings;
  } else {
    outcome_.status = result.status();
  }
  done_ = true;
}

// Never waits: an outcome that is not there yet is asked for again after the next step.
std::optional<SaveOutcome> Saver::TakeOutcome() {
  if (!active_ || !done_) return std::nullopt;
  JoinThread();
  active_ = false;
  return outcome_;
}

// Waits for the disk and lets rank 0 tell the others how the commit went.
absl::StatusOr<SaveOutcome> Saver::Finish() {
  if (active_ && !collected_) RM_RETURN_IF_ERROR(Collect());  // so far all ranks are in step
  JoinThread();
  const std::string mine =
      outcome_.status.ok() ? "" : kErrorMark + std::string(outcome_.status.message());
  RM_ASSIGN_OR_RETURN(const std::string verdict, BroadcastBytes(*communicator_, mine, 0));
  if (!verdict.empty() && outcome_.status.ok()) {
    outcome_.status = absl::ResourceExhaustedError(verdict.substr(1));
  }
  active_ = false;
  return outcome_;
}

}  // namespace rm::trainer
