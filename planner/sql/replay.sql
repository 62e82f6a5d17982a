-- A finished plan against the raw samples: how often each box was short of what ran on it, and how badly.
--
-- $trace_id; $since; $seconds: samples are averaged over slots of so many seconds, so that workloads sampled at
-- different moments meet; $cores, $gib: assumed sizes where only percentages are known. Relation seats(workload,
-- share, sku, box) says which share of a workload sits in which box, rooms(sku, cpu_cores, memory_gib) what boxes hold.

with samples as (
    select
        u.workload, epoch_us(u.sampled_at) // ($seconds * 1000000) as slot,
        exact_avg(coalesce(u.cpu_cores, u.cpu_percent / 100 * coalesce(w.cpu_cores, $cores))) as cpu_cores,
        exact_avg(coalesce(u.memory_gib, u.memory_percent / 100 * coalesce(w.memory_gib, $gib))) as memory_gib
    from usage u join workloads w using (trace_id, workload)
    where trace_id = $trace_id and u.sampled_at >= $since and u.workload in (select workload from seats)
    group by all
),
loads as (
    select s.sku, s.box, x.slot, exact_sum(x.cpu_cores * s.share) as cpu_cores, exact_sum(x.memory_gib * s.share) as memory_gib
    from samples x join seats s using (workload)
    group by all
),
ratios as (
    select sku, box, slot, l.cpu_cores / nullif(r.cpu_cores, 0) as cpu, l.memory_gib / nullif(r.memory_gib, 0) as memory
    from loads l join rooms r using (sku)
)
select
    sku, box, count(*) as slots,
    count(*) filter (cpu > 1 + 1e-9) as cpu_short_slots, count(*) filter (memory > 1 + 1e-9) as memory_short_slots,
    coalesce(max(cpu), 0) as cpu_worst, coalesce(max(memory), 0) as memory_worst,
    coalesce(exact_avg(cpu), 0) as cpu_mean, coalesce(exact_avg(memory), 0) as memory_mean
from ratios
group by all
order by sku, box;
