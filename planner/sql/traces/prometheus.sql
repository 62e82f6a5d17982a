-- Prometheus: results of query_range and query as JSON (matrix, vector), of cAdvisor, node_exporter and others; or a server by URL
--
-- Layout: prometheus.io, HTTP API: {"status":"success","data":{"resultType":"matrix","result":[{"metric":{..},"values":
-- [[seconds, "value"], ..]}]}}; vector has one "value". Values NaN and Inf are rejected rows. A series is told apart by
-- its name and labels:
--   container_cpu_usage_seconds_total                  counter of a container's (or pod's) CPU seconds -> cores
--   container_memory_working_set_bytes                 gauge; else .._usage_bytes, .._rss
--   container_network_{receive,transmit}_bytes_total, container_fs_{reads,writes}_bytes_total   counters of a pod
--   kube_pod_container_resource_requests{resource=..}  what is allocated; also .._requests_cpu_cores, .._memory_bytes
--   node_cpu_seconds_total                             counter by mode and cpu; all modes but idle and iowait are use
--   node_memory_{MemTotal,MemAvailable,MemFree,Buffers,Cached}_bytes, node_network_.., node_disk_..   of a machine
--   process_cpu_seconds_total, process_resident_memory_bytes, http_requests_total   of whatever has been instrumented
-- A result without a name (rate(..), sum by (pod) (..), a recording rule) is known by its file's name: what says cpu
-- is cores in use, memory or bytes is bytes in use, requests, rps or qps is requests a second; names of recording rules
-- such as pod:container_cpu_usage:rate5m are read in the same way. Metrics of none of these are told in a note.
-- A workload is namespace/pod where there are pods, else job/instance; nodes are named by their instance.

create temp table points (
    labels varchar not null,
    second double not null check (second between 0 and 4102444800),
    value double not null check (value between 0 and 1e18)
);
comment on table points is '{"named": true, "needed": true, "keys": ["status", "data"]}';

create temp view points_in_document as
with series as (
    select unnest(r.data.result) as s
    from (
        select from_json(body, '{"data":{"result":[{"metric":"JSON","values":[["VARCHAR"]],"value":["VARCHAR"]}]}}') as r
        from document
    )
),
pairs as (
    select cast(s.metric as varchar) as labels, unnest(coalesce(s.values, [s.value])) as pair from series
)
select labels, pair[1] as second, pair[2] as value from pairs where pair is not null and labels is not null;

create temp table series as
select
    row_number() over (order by file, labels) as series, file, labels,
    regexp_replace(file, '^.*/|[.][0-9]+$', '', 'g') as query,
    coalesce(labels->>'__name__', '') as metric,
    coalesce(labels->>'namespace', labels->>'kubernetes_namespace', labels->>'exported_namespace') as namespace,
    coalesce(labels->>'pod', labels->>'pod_name', labels->>'exported_pod', labels->>'kubernetes_pod_name') as pod,
    coalesce(labels->>'container', labels->>'container_name', labels->>'exported_container') as container,
    coalesce(labels->>'instance', labels->>'node', labels->>'nodename', labels->>'kubernetes_node') as instance,
    coalesce(labels->>'job', labels->>'service', labels->>'app') as job,
    labels->>'mode' as mode, labels->>'cpu' as cpu, labels->>'resource' as resource,
    coalesce(labels->>'device', labels->>'interface', '') as device, coalesce(labels->>'id', '') as cgroup
from (select distinct file, labels from points);

-- What each series says: our measure, whether it counts up, and how many of its units are one of ours.
create temp table meanings as
select * from (values
    ('container_cpu_usage_seconds_total', 'pod', 'cpu_cores', true, 1.0, 1),
    ('container_memory_working_set_bytes', 'pod', 'memory_gib', false, 1073741824.0, 1),
    ('container_memory_usage_bytes', 'pod', 'memory_gib', false, 1073741824.0, 2),
    ('container_memory_rss', 'pod', 'memory_gib', false, 1073741824.0, 3),
    ('container_network_receive_bytes_total', 'pod', 'network_in_mib_per_s', true, 1048576.0, 1),
    ('container_network_transmit_bytes_total', 'pod', 'network_out_mib_per_s', true, 1048576.0, 1),
    ('container_fs_reads_bytes_total', 'pod', 'disk_read_mib_per_s', true, 1048576.0, 1),
    ('container_fs_writes_bytes_total', 'pod', 'disk_write_mib_per_s', true, 1048576.0, 1),
    ('kube_pod_container_resource_requests', 'pod', 'requests', false, 1.0, 1),
    ('kube_pod_container_resource_requests_cpu_cores', 'pod', 'allocated_cpu_cores', false, 1.0, 1),
    ('kube_pod_container_resource_requests_memory_bytes', 'pod', 'allocated_memory_gib', false, 1073741824.0, 1),
    ('node_cpu_seconds_total', 'node', 'cpu_cores', true, 1.0, 1),
    ('node_cpu', 'node', 'cpu_cores', true, 1.0, 2),
    ('node_memory_MemTotal_bytes', 'node', 'total', false, 1073741824.0, 1),
    ('node_memory_MemAvailable_bytes', 'node', 'available', false, 1073741824.0, 1),
    ('node_memory_MemFree_bytes', 'node', 'free', false, 1073741824.0, 1),
    ('node_memory_Buffers_bytes', 'node', 'free', false, 1073741824.0, 1),
    ('node_memory_Cached_bytes', 'node', 'free', false, 1073741824.0, 1),
    ('node_network_receive_bytes_total', 'node', 'network_in_mib_per_s', true, 1048576.0, 1),
    ('node_network_transmit_bytes_total', 'node', 'network_out_mib_per_s', true, 1048576.0, 1),
    ('node_disk_read_bytes_total', 'node', 'disk_read_mib_per_s', true, 1048576.0, 1),
    ('node_disk_written_bytes_total', 'node', 'disk_write_mib_per_s', true, 1048576.0, 1),
    ('node_disk_reads_completed_total', 'node', 'disk_iops', true, 1.0, 1),
    ('node_disk_writes_completed_total', 'node', 'disk_iops', true, 1.0, 1),
    ('process_cpu_seconds_total', 'process', 'cpu_cores', true, 1.0, 3),
    ('process_resident_memory_bytes', 'process', 'memory_gib', false, 1073741824.0, 4),
    ('http_requests_total', 'process', 'requests_per_s', true, 1.0, 1)
) as t(metric, scope, measure, counts, unit, rank);

-- What an unnamed result is, by its file's name or by the name of a recording rule.
create temp macro spoken(words) as case
    when regexp_matches(lower(words), 'memory|mem_|bytes|working_set|rss') then 'memory_gib'
    when regexp_matches(lower(words), 'cpu|cores') then 'cpu_cores'
    when regexp_matches(lower(words), 'request|rps|qps|ops') then 'requests_per_s' end;
create temp macro is_rule(metric) as metric = '' or contains(metric, ':');

create temp table understood as
with meant as (
    select s.*,
        case when m.metric is not null then m.scope when s.pod is not null then 'pod' else 'process' end as scope,
        case m.measure
            when 'requests' then case resource when 'cpu' then 'allocated_cpu_cores' when 'memory' then 'allocated_memory_gib' end
            else coalesce(m.measure, case when is_rule(s.metric) then spoken(s.metric || ' ' || s.query) end) end as measure,
        coalesce(m.counts, false) as counts,
        case when m.measure = 'requests' and resource = 'memory' then 1073741824.0 when m.unit is not null then m.unit
            when spoken(s.metric || ' ' || s.query) = 'memory_gib' then 1073741824.0 else 1.0 end as unit,
        coalesce(m.rank, 5) as rank
    from series s left join meanings m using (metric)
)
select *,
    case when scope = 'node' then coalesce(instance, job, 'node')
        when pod is not null then coalesce(namespace || '/', '') || pod
        else coalesce(job || '/' || instance, instance, job, namespace, nullif(cgroup, ''), nullif(container, ''),
            labels->>'name', query) end as workload
from meant;

-- A pod's containers add up; cAdvisor also has the pod as a whole (no container, or its pause container POD), which
-- serves where it is all there is. Loopback and virtual devices of machines, and what a node says of its cgroups, are
-- part of other series. Of several memory figures of a workload the first of the list counts.
create temp table chosen as
with owned as (
    select *,
        bool_or(coalesce(container, '') not in ('', 'POD')) over (partition by workload, measure, metric) as has_containers,
        min(rank) over (partition by workload, measure) as best
    from understood
    where measure is not null
        and not (scope = 'node' and coalesce(mode, '') in ('idle', 'iowait', 'guest', 'guest_nice'))
        and not (scope = 'node' and regexp_matches(device, '^(lo|veth.*|docker.*|br-.*|cni.*|flannel.*|cali.*|dm-.*|loop.*)$'))
        and not (scope = 'pod' and metric like 'container\_%' escape '\' and pod is null and cgroup <> '')
)
select *, dense_rank() over (order by measure, labels) as line from owned
where (not has_containers or coalesce(container, '') not in ('', 'POD')) and (rank = best or measure = 'free');

-- Counters become rates between neighbours: where one falls it began again at zero. What several answers tell of a
-- series at one moment counts once.
create temp table lines_told as
select line, any_value(workload) as workload, any_value(measure) as measure, bool_or(counts) as counts, max(unit) as unit
from chosen group by line;

create temp table steps as
with told as (
    select line, second, max(value) as value from points join (select file, labels, line from chosen) using (file, labels)
    group by all
)
select line, second, value, cast(null as double) as seconds, cast(null as double) as more
from told where line in (select line from lines_told where not counts)
union all
select line, second, value, second - lag(second) over w as seconds, value - lag(value) over w as more
from told where line in (select line from lines_told where counts)
window w as (partition by line order by second);

create temp table rates as
select workload, measure, second,
    case when not counts then value / unit
        else case when more < 0 then value else more end / nullif(seconds, 0) / unit end as amount
from steps join lines_told using (line) where not counts or seconds > 0;

create temp table measures as
with summed as (
    select workload, measure, make_timestamp(cast(round(second * 1e6) as bigint)) as sampled_at, exact_sum(amount) as amount
    from rates where amount is not null group by all
)
select workload, sampled_at,
    max(amount) filter (measure = 'cpu_cores') as cpu_cores,
    max(amount) filter (measure = 'memory_gib') as memory_gib,
    max(amount) filter (measure = 'total') as total,
    max(amount) filter (measure = 'available') as available,
    max(amount) filter (measure = 'free') as free,
    max(amount) filter (measure = 'network_in_mib_per_s') as network_in_mib_per_s,
    max(amount) filter (measure = 'network_out_mib_per_s') as network_out_mib_per_s,
    max(amount) filter (measure = 'disk_read_mib_per_s') as disk_read_mib_per_s,
    max(amount) filter (measure = 'disk_write_mib_per_s') as disk_write_mib_per_s,
    max(amount) filter (measure = 'disk_iops') as disk_iops,
    max(amount) filter (measure = 'requests_per_s') as requests_per_s,
    max(amount) filter (measure = 'allocated_cpu_cores') as allocated_cpu_cores,
    max(amount) filter (measure = 'allocated_memory_gib') as allocated_memory_gib
from summed group by workload, sampled_at;

insert into usage by name
select
    $trace_id as trace_id, workload, sampled_at, cpu_cores,
    coalesce(memory_gib, case when total >= coalesce(available, free) then total - coalesce(available, free) end)
        as memory_gib,
    network_in_mib_per_s, network_out_mib_per_s, disk_read_mib_per_s, disk_write_mib_per_s, disk_iops, requests_per_s,
    allocated_cpu_cores, coalesce(allocated_memory_gib, total) as allocated_memory_gib
from measures;

-- Requests are steady while samples may miss some: the largest sum is what is allocated. A machine's cores are counted.
insert into workloads by name
with sized as (
    select workload, max(allocated_cpu_cores) as cores, max(allocated_memory_gib) as gib
    from usage where trace_id = $trace_id group by workload
),
named as (
    select
        workload, any_value(namespace) as owner,
        case when bool_or(pod is not null) then 'container' when bool_or(scope = 'node') then 'vm' else 'container' end as kind,
        coalesce(any_value(case when pod is not null then coalesce(namespace || '/', '')
            || regexp_replace(pod, '(-[a-f0-9]{8,10})?-[a-z0-9]{5}$|-[0-9]+$', '') end), any_value(job)) as application,
        count(distinct cpu) filter (scope = 'node' and measure = 'cpu_cores') as cores
    from understood
    where measure is not null or not exists (from understood where measure is not null)
    group by workload
)
select
    $trace_id as trace_id, workload, n.kind, n.owner, n.application,
    coalesce(s.cores, nullif(n.cores, 0)) as cpu_cores, s.gib as memory_gib
from named n left join sized s using (workload)
where s.workload is not null or not exists (from usage where trace_id = $trace_id);

insert into notes
select format('{} metrics tell nothing that is planned by and are passed over: {}', count(*),
    string_agg(metric, ', ' order by metric))
from (select distinct case when metric = '' then 'results without a name in ' || query else metric end as metric
    from understood where measure is null)
having count(*) > 0;

insert into notes
select 'no metric that is known tells what is used: the series are listed as workloads without samples'
from points where not exists (from understood where measure is not null) having count(*) > 0;

insert into notes
select format('{} series have no name; their files say what they are: {}', count(*),
    string_agg(distinct query || ' is ' || measure, ', ' order by query || ' is ' || measure))
from understood where is_rule(metric) and measure is not null having count(*) > 0;

insert into notes
select format('{} counters began again at zero in the recording: what they counted since is taken', count(distinct line))
from steps where more < 0 having count(*) > 0;
