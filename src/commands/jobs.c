#include "commands/jobs.h"

#include "commands/database_figures.h"
#include "engine/sessions.h"
#include "fulfillment/jobs.h"
#include "notifications/jobs.h"
#include "orders/jobs.h"
#include "reservations/jobs.h"
#include "webhooks/jobs.h"

/* Rows that a frozen instance holds would stop other jobs, so its sessions end first; then jobs of stock holders, so
 * that expired units are available soonest. */
size_t all_jobs(struct job_list ret_lists[JOB_LISTS_MAX]) {
        size_t n = 0;

        ret_lists[n++] = (struct job_list){ session_jobs, session_job_count };
        ret_lists[n++] = (struct job_list){ reservation_jobs, reservation_job_count };
        ret_lists[n++] = (struct job_list){ order_jobs, order_job_count };
        ret_lists[n++] = (struct job_list){ fulfillment_jobs, fulfillment_job_count };
        ret_lists[n++] = (struct job_list){ notification_jobs, notification_job_count };
        ret_lists[n++] = (struct job_list){ webhook_jobs, webhook_job_count };
        ret_lists[n++] = (struct job_list){ pruning_jobs, pruning_job_count };
        ret_lists[n++] = (struct job_list){ figures_jobs, figures_job_count };
        return n;
}
