"""The metrics. Each is one pure function of labels and scores; ``METRICS`` names them all."""

from unmask.scoring.metrics.costs import ACT_DCF, MIN_DCF, act_dcf, min_dcf
from unmask.scoring.metrics.decisions import (
    BALANCED_ACCURACY,
    F1,
    FPR_PER_MILLION,
    PRECISION_AT_PREVALENCE,
    balanced_accuracy,
    f1,
    fpr_per_million,
    precision_at_prevalence,
)
from unmask.scoring.metrics.metric import DEFAULTS, SMALLEST_CLIP, Metric, Settings, Undefined
from unmask.scoring.metrics.probabilities import (
    BRIER,
    CLLR,
    ECE_MASS,
    ECE_WIDTH,
    LOG_LOSS,
    LOG_LOSS_AT_PREVALENCE,
    brier,
    cllr,
    ece_mass,
    ece_width,
    log_loss,
    log_loss_at_prevalence,
)
from unmask.scoring.metrics.queues import (
    LOG_WEIGHTED_PRECISION_10,
    LOG_WEIGHTED_PRECISION_50,
    LOG_WEIGHTED_PRECISION_90,
    RECALL_AT_BUDGET,
    log_weighted_precision,
    recall_at_budget,
)
from unmask.scoring.metrics.ranking import (
    AVERAGE_PRECISION,
    EER,
    EER_ASVSPOOF,
    PARTIAL_AUC,
    ROC_AUC,
    TPR_AT_01,
    TPR_AT_1,
    TPR_AT_10,
    average_precision,
    eer,
    eer_asvspoof,
    partial_auc,
    roc_auc,
    tpr_at_fpr,
)

__all__ = [
    "DEFAULTS", "METRICS", "SMALLEST_CLIP", "Metric", "Settings", "Undefined", "act_dcf", "average_precision",
    "balanced_accuracy", "brier", "cllr", "ece_mass", "ece_width", "eer", "eer_asvspoof", "f1", "fpr_per_million",
    "log_loss", "log_loss_at_prevalence", "log_weighted_precision", "min_dcf", "partial_auc", "precision_at_prevalence",
    "recall_at_budget", "roc_auc", "tpr_at_fpr",
]  # fmt: skip

#: Every metric by its name, in the order in which pages show them.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        ROC_AUC, AVERAGE_PRECISION, EER, RECALL_AT_BUDGET, PRECISION_AT_PREVALENCE, BALANCED_ACCURACY, LOG_LOSS, BRIER,
        PARTIAL_AUC, TPR_AT_10, TPR_AT_1, TPR_AT_01, EER_ASVSPOOF, F1, FPR_PER_MILLION, LOG_LOSS_AT_PREVALENCE,
        ECE_WIDTH, ECE_MASS, CLLR, MIN_DCF, ACT_DCF, LOG_WEIGHTED_PRECISION_10, LOG_WEIGHTED_PRECISION_50,
        LOG_WEIGHTED_PRECISION_90,
    )
}  # fmt: skip
