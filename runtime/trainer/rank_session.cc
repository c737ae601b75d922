// A rank process from its first command to its last message.

#include "runtime/trainer/rank_session.h"

#include <pthread.h>
#include <sys/socket.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "runtime/trainer/rank_observer.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;
namespace {

// "CheckpointFailed: disk full" → that code; a message without one gets a code by its kind.
pb::Reason ReasonOf(const absl::Status& status) {
  pb::Reason reason;
  const std::string message(status.message());
  const size_t colon = message.find(':');
  bool is_code = colon != std::string::npos && colon > 0 && absl::ascii_isupper(
                                                                static_cast<unsigned char>(message[0]));
  for (size_t i = 0; is_code && i < colon; ++i) {
    is_code = absl::ascii_isalnum(static_cast<unsigned char>(message[i]));
  }
  if (is_code) {
    reason.set_code(message.substr(0, colon));
  } else if (absl::IsAborted(status)) {
    reason.set_code("PeerLost");
  } else if (absl::IsInvalidArgument(status) || absl::IsNotFound(status)) {
    reason.set_code("BadInput");
  } else {
    reason.set_code("RankFailed");
  }
  reason.set_sentence(message);
  return reason;
}

// What peers are told of this rank's own failure: to them it is a lost peer, whatever it is here, so that one rank of the gang
// names the cause and the others a consequence.
absl::Status PeerFailure(const pb::RankStart& start, const absl::Status& status) {
  return absl::AbortedError(
      absl::StrCat("rank ", start.rank().rank(), " failed: ", status.message()));
}

// The worker says where to listen and what peers dial.
comm::EndpointOptions EndpointOptionsOf(const pb::RankStart& start) {
  comm::EndpointOptions options;
  const std::string& transport = start.spec().communication().transport();
  options.transport = transport.empty() ? "auto" : transport;
  if (!start.listen_host().empty()) options.listen_host = start.listen_host();
  options.advertise_host = start.advertise_host();
  return options;
}

}  // namespace

RankSession::RankSession(int fd, base::FileSystem& files, std::function<void()> worker_gone)
    : link_(fd), fd_(fd), files_(files), worker_gone_(std::move(worker_gone)) {}

// The reader may be blocked in the socket: shutting its read side wakes it.
RankSession::~RankSession() {
  if (!reader_.joinable()) return;
  ::shutdown(fd_, SHUT_RD);  // wakes the reader
  reader_.join();
}

// Every way out that is not success is reported, so that the job's reason is the rank's own words: before the communicator
// goes, which may take its time when a peer takes nothing any more.
absl::Status RankSession::Run() {
  const absl::Status status = Train();
  if (!status.ok()) ReportFailure(status);
  communicator_.reset();
  return status;
}

// The whole life: start, listen, join, build, train, finish. Peers are told of any failure after the join.
absl::Status RankSession::Train() {
  RM_ASSIGN_OR_RETURN(const pb::RankStart start, WaitForStart());
  const ActivityReporter reporter(board_, link_);
  RM_ASSIGN_OR_RETURN(endpoint_, comm::OpenEndpoint(EndpointOptionsOf(start)));
  pb::RankMessage listening;
  listening.mutable_listening()->set_address(endpoint_->address());
  RM_RETURN_IF_ERROR(link_.Send(listening));
  RM_RETURN_IF_ERROR(Join(start));
  reader_ = std::thread([this] { ReadCommands(); });

  RankObserver observer(link_, files_, start, board_);
  auto trainer = Trainer::Create(start, files_, *communicator_, observer, stop_);
  if (!trainer.ok()) {
    communicator_->Abort(PeerFailure(start, trainer.status()));
    return trainer.status();
  }
  pb::RankMessage joined;
  joined.mutable_joined()->set_first_step((*trainer)->first_step());
  if (start.rank().rank() == 0) *joined.mutable_joined()->mutable_plan() = (*trainer)->plan();
  RM_RETURN_IF_ERROR(link_.Send(joined));
  const auto result = (*trainer)->Run();
  if (!result.ok()) {
    communicator_->Abort(PeerFailure(start, result.status()));
    return result.status();
  }
  RM_RETURN_IF_ERROR(communicator_->Barrier());  // nobody leaves before the last checkpoint is committed
  pb::RankMessage message;
  pb::Finished& finished = *message.mutable_finished();
  finished.set_step(result->step);
  finished.set_stopped(result->stopped);
  finished.set_weights_sha256(result->weights_sha256);
  finished.mutable_metrics()->insert(result->metrics.begin(), result->metrics.end());
  return link_.Send(message);
}

// Log lines carry job and rank from here on.
absl::StatusOr<pb::RankStart> RankSession::WaitForStart() {
  RM_ASSIGN_OR_RETURN(const pb::RankCommand command, link_.Next());
  if (!command.has_start()) return absl::InternalError("the first command is not a start");
  base::LogContext context;
  context.component = absl::StrCat("rank ", command.start().rank().rank());
  context.job = command.start().rank().job_id();
  context.rank = command.start().rank().rank();
  base::SetLogContext(context);
  return command.start();
}

// Waits for the peers' addresses. The command may be late, doubled, or of another generation: only our own counts.
absl::Status RankSession::Join(const pb::RankStart& start) {
  for (;;) {
    RM_ASSIGN_OR_RETURN(const pb::RankCommand command, link_.Next());
    if (command.has_stop()) return absl::AbortedError("Stopped: asked to stop before the start");
    if (!command.has_start_generation()) continue;
    const pb::StartGeneration& generation = command.start_generation();
    if (generation.generation() != start.rank().generation()) continue;  // not ours: stale
    comm::Membership membership;
    membership.job = start.rank().job_id();
    membership.generation = generation.generation();
    membership.rank = start.rank().rank();
    membership.counters = &board_.collectives;
    membership.peers.assign(generation.peers().begin(), generation.peers().end());
    RM_ASSIGN_OR_RETURN(communicator_, endpoint_->Join(membership));
    base::LogInfo("joined generation ", membership.generation, " as rank ", membership.rank, " of ",
                  membership.peers.size(), membership.peers.size() > 1 ? "; transport: " : "",
                  endpoint_->transport());
    return absl::OkStatus();
  }
}

// On a thread of its own while the training runs: a stop may come at any time.
void RankSession::ReadCommands() {
  ::pthread_setname_np(::pthread_self(), "commands");
  for (;;) {
    const auto command = link_.Next();
    if (!command.ok()) {
      worker_gone_();
      return;
    }
    if (!command->has_stop()) continue;
    if (command->stop().checkpoint()) stop_.checkpoint = true;
    stop_.stop = true;
  }
}

// Best effort: when the worker is gone too, the log has it.
void RankSession::ReportFailure(const absl::Status& status) {
  base::LogError(status.message());
  pb::RankMessage message;
  *message.mutable_failed()->mutable_reason() = ReasonOf(status);
  message.mutable_failed()->set_step(board_.step);
  link_.Send(message).IgnoreError();
}

}  // namespace rm::trainer
