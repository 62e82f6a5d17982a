-- A recording that stays in Spark is reduced there. Sections for Spark are standard SQL that DuckDB runs to the same
-- numbers: they read `told`, the sound rows of the table with all columns of usage, and `sizes`, workloads by name.
--
-- $since, $periods, $cpu_level, $memory_level, $cores, $gib: as in sql/demand.sql; written in, as numbers. The day
-- of the week is counted from a Monday, for one engine calls a Sunday 0 and the other 1.

-- sums
select workload, count(*) as samples, min(sampled_at) as first, max(sampled_at) as last,
    avg(cpu_cores) as cpu_cores, avg(cpu_percent) as cpu_percent, avg(memory_gib) as memory_gib,
    avg(memory_percent) as memory_percent, max(cpu_cores) as most_cpu_cores, max(memory_gib) as most_memory_gib,
    max(cpu_percent) as most_cpu_percent, max(memory_percent) as most_memory_percent,
    max(disk_read_mib_per_s) as most_disk_read_mib_per_s, max(disk_write_mib_per_s) as most_disk_write_mib_per_s,
    max(disk_iops) as most_disk_iops, max(network_in_mib_per_s) as most_network_in_mib_per_s,
    max(network_out_mib_per_s) as most_network_out_mib_per_s, max(requests_per_s) as most_requests_per_s,
    max(allocated_cpu_cores) as most_allocated_cpu_cores, max(allocated_memory_gib) as most_allocated_memory_gib
from told group by workload;

-- usage
with sized as (
    select t.workload, t.sampled_at, t.requests_per_s, t.cpu_cores as cpu_amount, t.cpu_percent as cpu_part,
        t.memory_gib as memory_amount, t.memory_percent as memory_part,
        coalesce(t.cpu_cores, t.cpu_percent / 100 * coalesce(t.allocated_cpu_cores, s.cpu_cores, $cores)) as cpu,
        coalesce(t.memory_gib, t.memory_percent / 100 * coalesce(t.allocated_memory_gib, s.memory_gib, $gib)) as memory
    from told t left join sizes s on t.workload = s.workload
    where t.sampled_at >= $since
),
timed as (
    select sized.*, mod(
        mod(extract(dow from sampled_at) - extract(dow from cast('2024-01-01 00:00:00' as timestamp)) + 7, 7) * 24
        + extract(hour from sampled_at), $periods) as period
    from sized
)
select workload, cast(period as integer) as period,
    percentile_cont($cpu_level) within group (order by cpu) as cpu_busy,
    cast(sum(cast(round(cpu * 1e9) as decimal(30, 0))) as double) / 1e9 / count(cpu) as cpu_mean,
    percentile_cont($memory_level) within group (order by memory) as memory_busy,
    cast(sum(cast(round(memory * 1e9) as decimal(30, 0))) as double) / 1e9 / count(memory) as memory_mean,
    cast(sum(cast(round(requests_per_s * 1e9) as decimal(30, 0))) as double) / 1e9 / count(requests_per_s)
        as requests_per_s,
    count(cpu_amount) as cpu_amounts, count(cpu_part) filter (where cpu_amount is null) as cpu_shares,
    count(memory_amount) as memory_amounts, count(memory_part) filter (where memory_amount is null) as memory_shares
from timed group by workload, period;

-- whole
select workload,
    cast(sum(cast(round(network_out_mib_per_s * 1e9) as decimal(30, 0))) as double) / 1e9 / count(network_out_mib_per_s)
        as network_mib_per_s,
    percentile_cont($cpu_level) within group (order by disk_iops) as disk_iops
from told where sampled_at >= $since group by workload;

-- listed
-- Here, in DuckDB: the workloads, from their table `listed_there` where there is one, and from those with samples.
insert into workloads by name
select $trace_id as trace_id, coalesce(w.workload, s.workload) as workload, coalesce(w.kind, 'vm') as kind,
    w.* exclude (workload, kind, cpu_cores, memory_gib),
    coalesce(w.cpu_cores, s.most_allocated_cpu_cores) as cpu_cores,
    coalesce(w.memory_gib, s.most_allocated_memory_gib) as memory_gib
from sums s full join listed_there w on s.workload = w.workload;
