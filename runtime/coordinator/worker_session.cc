// The border between what workers say and what the scheduler is told. Nothing is believed that the
// scheduler does not check itself: stale generations, unknown ranks and repeated reports go through
// as events and are refused there, counted and with a reason.
#include "runtime/coordinator/worker_session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/version.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// A stream that was silent for longer may be replaced by another process of the same id: its
// machine was restarted, or its network is gone.
constexpr absl::Duration kIdIsHeldFor = absl::Milliseconds(1500);

pb::TrainingDone TrainingDoneOf(const pb::RankRef& rank, const pb::Finished& finished) {
  pb::TrainingDone done;
  *done.mutable_rank() = rank;
  done.set_step(finished.step());
  *done.mutable_metrics() = finished.metrics();
  done.set_weights_sha256(finished.weights_sha256());
  return done;
}

}  // namespace

pb::Event EventOf(const pb::RankReport& report) {
  const pb::RankRef& rank = report.rank();
  const pb::RankMessage& message = report.message();
  pb::Event event;
  if (message.has_listening()) {
    *event.mutable_rank_listening()->mutable_rank() = rank;
    event.mutable_rank_listening()->set_address(message.listening().address());
  } else if (message.has_joined()) {
    *event.mutable_rank_joined()->mutable_rank() = rank;
    event.mutable_rank_joined()->set_first_step(message.joined().first_step());
  } else if (message.has_committed()) {
    pb::CheckpointCommitted& committed = *event.mutable_checkpoint_committed();
    *committed.mutable_rank() = rank;
    committed.set_step(message.committed().step());
    committed.set_path(message.committed().path());
    *committed.mutable_metrics() = message.committed().metrics();
  } else if (message.has_finished() && rank.rank() == 0 && !message.finished().stopped()) {
    *event.mutable_training_done() = TrainingDoneOf(rank, message.finished());
  }
  return event;
}

WorkerSession::WorkerSession(Coordinator& coordinator, std::shared_ptr<WorkerLink> link)
    : coordinator_(coordinator), link_(std::move(link)) {}

void WorkerSession::OnMessage(pb::WorkerMessage message) {
  // True for a second Hello, and for anything else before the first.
  if (message.has_hello() != worker_id_.empty()) {
    link_->Close(absl::InvalidArgumentError("the first message, and only that, is Hello"));
    OnEnd();
    return;
  }
  if (message.has_hello()) return OnHello(message.hello());
  // Replaced or lost: what its worker has to say comes over its new stream, from the start.
  if (!coordinator_.workers().IsPresent(worker_id_, link_.get())) return;
  pb::Event event;
  switch (message.message_case()) {
    case pb::WorkerMessage::kReport: return OnReport(message.report());
    case pb::WorkerMessage::kExited: return OnExited(std::move(*message.mutable_exited()));
    case pb::WorkerMessage::kLog:
      return coordinator_.config().on_log(worker_id_, std::move(*message.mutable_log()));
    case pb::WorkerMessage::kPreflight:
      coordinator_.preflights().OnReport(message.preflight());
      return;
    case pb::WorkerMessage::kRefused:
      *event.mutable_start_refused() = message.refused();
      return coordinator_.Add(std::move(event));
    case pb::WorkerMessage::kHeartbeat:  // that it came is noted by the link
    case pb::WorkerMessage::kStorageProbe:
    case pb::WorkerMessage::kHello:
    case pb::WorkerMessage::MESSAGE_NOT_SET: return;
  }
}

void WorkerSession::OnHello(const pb::Hello& hello) {
  const absl::Status checked = CheckHello(hello);
  if (!checked.ok()) {
    base::LogWarning("worker '", hello.worker_id(), "' on ", hello.host(),
                     " may not attach: ", checked.message());
    return link_->Close(checked);
  }
  // Entered before the event is decided: the actions of its step (start, stop, repeat) must find
  // the stream.
  worker_id_ = hello.worker_id();
  coordinator_.workers().Attach(hello, link_);
  coordinator_.liveness().Attached(worker_id_, coordinator_.clock().Monotonic());
  pb::WorkerCommand welcome;
  welcome.mutable_welcome()->set_version(coordinator_.config().version);
  welcome.mutable_welcome()->set_storage(coordinator_.config().folders.storage);
  link_->Send(welcome);

  pb::Event event;
  pb::WorkerAttached& attached = *event.mutable_worker_attached();
  attached.set_worker_id(hello.worker_id());
  attached.set_host(hello.host());
  attached.set_slots(hello.slots());
  *attached.mutable_labels() = hello.labels();
  *attached.mutable_running() = hello.running();
  attached.set_version(hello.version());
  coordinator_.Add(std::move(event), [link = link_](const absl::Status& status) {
    if (!status.ok()) link->Close(status);
  });
}

absl::Status WorkerSession::CheckHello(const pb::Hello& hello) const {
  const CoordinatorConfig& config = coordinator_.config();
  if (hello.worker_id().empty()) return absl::InvalidArgumentError("the worker has no id");
  if (!base::VersionsAgree(hello.version(), config.version)) {
    return absl::FailedPreconditionError(absl::StrCat("the worker is version '", hello.version(),
                                                      "', the coordinator is '", config.version,
                                                      "': use the same release on both"));
  }
  // At its first attach a worker does not know the folder yet, and sends nothing.
  if (!hello.probe().empty() && hello.probe() != config.probe) {
    return absl::FailedPreconditionError(
        absl::StrCat("StorageNotShared: ", config.folders.storage,
                     " is another folder on the worker than on the coordinator"));
  }
  return CheckIdIsFree(hello);
}

absl::Status WorkerSession::CheckIdIsFree(const pb::Hello& hello) const {
  const AttachedWorkers::Attached* const present = coordinator_.workers().Find(hello.worker_id());
  if (present == nullptr) return absl::OkStatus();
  const pb::Hello& other = present->hello;
  // The same process dials again when it sees a break before we do.
  if (other.pid() == hello.pid() && other.host() == hello.host()) return absl::OkStatus();
  if (coordinator_.liveness().SilentFor(hello.worker_id()) >= kIdIsHeldFor) {
    return absl::OkStatus();
  }
  return absl::AlreadyExistsError(absl::StrCat("worker id '", hello.worker_id(),
                                               "' is in use by process ", other.pid(), " on ",
                                               other.host(), ": give this worker another --id"));
}

void WorkerSession::OnReport(const pb::RankReport& report) {
  // Live reports are kept by job, so unknown ones must not make entries.
  if (coordinator_.state().FindJob(report.rank().job_id()) == nullptr) return;
  coordinator_.live().OnReport(report.rank(), report.message(), coordinator_.clock().Now());
  pb::Event event = EventOf(report);
  if (event.event_case() != pb::Event::EVENT_NOT_SET) coordinator_.Add(std::move(event));
}

void WorkerSession::OnExited(pb::RankExited exited) {
  // Workers fill these in; one that was restarted between the report and the exit cannot.
  const LiveRank* const live = coordinator_.live().Find(exited.rank());
  if (live != nullptr) {
    if (exited.cause().code().empty()) *exited.mutable_cause() = live->failed.reason();
    if (exited.step() == 0) exited.set_step(live->progress.step());
  }
  pb::Event event;
  *event.mutable_rank_exited() = std::move(exited);
  coordinator_.Add(std::move(event));
}

void WorkerSession::OnEnd() {
  // A break is no loss yet: the worker has 1.5 s to dial again (liveness.h).
  if (worker_id_.empty() || !coordinator_.workers().Detach(worker_id_, link_.get())) return;
  coordinator_.liveness().Broken(worker_id_, coordinator_.clock().Monotonic());
  coordinator_.preflights().OnDetached(worker_id_);
}

}  // namespace rm::coordinator
